"""How ExecProcess cuts a command line: no shell, spaces part words, three kinds of quotes, no escapes."""

from __future__ import annotations

QUOTES = "\"'`"


def split_command(line: str) -> list[str]:
    """Cut a command line into words.

    Examples
    --------
    >>> split_command('"/a b/c" it`s d`')
    ['/a b/c', 'its d']
    """
    words: list[str] = []
    word: str | None = None
    quote = ""
    for letter in line:
        if quote:
            if letter == quote:
                quote = ""
            else:
                word = (word or "") + letter
        elif letter in QUOTES:
            quote = letter
            word = word or ""
        elif letter == " ":
            if word is not None:
                words.append(word)
                word = None
        else:
            word = (word or "") + letter
    if word is not None:
        words.append(word)
    return words
