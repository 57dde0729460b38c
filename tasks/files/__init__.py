"""Files of a page and what can be told of them: names, types, tables, images, links, the README and LICENSE we write."""
