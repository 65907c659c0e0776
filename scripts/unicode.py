#!/usr/bin/env python3
"""Writes src/unicode.txt: what Python's str and re know of characters, as far as scikit-learn's vectorizers use it.

Run it with the newest Python whose Unicode version the tables shall have; the first line of the file names both.

    scripts/unicode.py > src/unicode.txt

Sets are ascending boundaries in hexadecimal: a code point is inside where an odd number of them are not above it.
    word     str.isalnum() or "_": \\w
    digit    str.isdecimal(): \\d
    space    str.isspace(): \\s
    cased    has case, for the final sigma of str.lower()
    ignored  does not count when str.lower() asks for case
Maps are a run a line, "first last step images": with step 1 or 2 every character, or every second one, from first
to last goes to as many code points behind the one image; with step 0 all of them to the same images, maybe none.
    lower    str.lower() of a single character, where that is another
    accents  NFKD without combining characters, where that is another; Hangul syllables are left out
"""

import platform
import re
import sys
import unicodedata

ALL = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


def write_set(name, holds):
    boundaries, inside = [], False
    for char in ALL:
        if holds(char) != inside:
            boundaries.append(ord(char))
            inside = not inside
    assert not inside
    print(name, *(f"{boundary:x}" for boundary in boundaries))


def write_map(name, image):
    runs = []
    for char in ALL:
        to = image(char)
        if to == char:
            continue
        code = ord(char)
        if runs:
            first, last, step, images = runs[-1]
            counts = len(to) == 1 and len(images) == 1 and step != 0 and ord(to) - code == ord(images) - first
            if counts and (code - last == step or (first == last and code - last == 2)):
                runs[-1] = (first, code, code - last, images)
                continue
            if to == images and code == last + 1 and (step == 0 or first == last):
                runs[-1] = (first, code, 0, images)
                continue
        runs.append((code, code, 1 if len(to) == 1 else 0, to))
    print("map", name)
    for first, last, step, images in runs:
        print(f"{first:x} {last:x} {step}", *(f"{ord(char):x}" for char in images))


def without_accents(char):
    if "\uac00" <= char <= "\ud7a3":
        return char
    return "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))


def cased(char):
    return (char + "Σ").lower().endswith("ς")


def ignored(char):
    return not cased(char) and ("A" + char + "Σ").lower().endswith("ς")


word, digit, space = re.compile(r"\w"), re.compile(r"\d"), re.compile(r"\s")
for char in ALL:
    assert bool(word.match(char)) == (char.isalnum() or char == "_")
    assert bool(digit.match(char)) == char.isdecimal()
    assert bool(space.match(char)) == char.isspace()

print(f"Unicode {unicodedata.unidata_version}, Python {platform.python_version()}; made by scripts/unicode.py")
write_set("word", lambda char: char.isalnum() or char == "_")
write_set("digit", str.isdecimal)
write_set("space", str.isspace)
write_set("cased", cased)
write_set("ignored", ignored)
write_map("lower", str.lower)
write_map("accents", without_accents)
