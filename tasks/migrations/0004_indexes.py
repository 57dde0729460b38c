"""What is asked again and again is found without going through the history, or through the queue."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0003_orchestrator"),
        ("django_q", "0019_alter_task_options_alter_ormq_key_alter_ormq_lock_and_more"),
    ]

    operations = [
        migrations.AddIndex(model_name="round", index=models.Index(fields=["degraded_id"], name="round_degraded")),
        # django-q2's own table has no index but its key's: the next message is the one that waits longest.
        migrations.RunSQL("CREATE INDEX deployer_next_message ON django_q_ormq (lock, id)", "DROP INDEX deployer_next_message"),
    ]
