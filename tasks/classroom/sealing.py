"""Students' secrets as they stand in the database: encrypted with a key that is derived from SECRET_KEY, bound to the student's address.

https://cryptography.io/en/latest/fernet/
"""

from __future__ import annotations

import base64
import json

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from tasks.errors import Misconfigured


def seal(secret: str, email: str) -> str:
    """The secret for the row of that address."""
    return box().encrypt(json.dumps([email.lower(), secret]).encode()).decode()


def unseal(sealed: str, email: str) -> str:
    """The secret again; `Misconfigured` when SECRET_KEY is another one by now, or the row belongs to another address."""
    try:
        whose, secret = json.loads(box().decrypt(sealed.encode()))
    except InvalidToken as error:
        raise Misconfigured(
            f"The secret of {email} was sealed with another SECRET_KEY: set that one again, or import the submissions anew."
        ) from error
    if whose != email.lower():
        raise Misconfigured(f"The sealed secret in the row of {email} belongs to another address: import the submissions anew.")
    return str(secret)


def box(purpose: str = "deployer: students' secrets") -> Fernet:
    """What encrypts for one purpose: what was sealed for another one does not open."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
