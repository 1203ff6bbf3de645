"""Ways to spoil a file, each a function of its content and a source of chance."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from random import Random
from typing import Any

import numpy as np

_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"\S+")
NUMBERS = ["nan", "inf", "-inf", "-1", "0", "1e309", "5e-324", "9" * 25, "1e", "", "0x10", "1_0"]
NUMBERS += ["١", "-0", "1e308", "1.5", "null", "true", "1,5", "--1"]
STRANGE = [b"\0", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n", b"\x1a", b"\xff", b"\x1b[2J", b"\t", b">"]
STRANGE += [" \u2028\u202e\u00e9\u0416\U0001f9ec\ufeff\x85\x0b\x0c"[i].encode() for i in range(10)]
STRANGE += [
    b"*",
    b"-",
    b"#",
    b";",
    b"//",
    b"'",
    b'"',
    b"\\",
    b"]",
    b"}",
    b",",
    b"=",
    b"%s",
    b"\x1f\x8b",
]


def flipped_bits(content: bytes, chance: Random) -> bytes:
    spoiled = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 3, 20])):
        spoiled[chance.randrange(len(spoiled))] ^= 1 << chance.randrange(8)
    return bytes(spoiled)


def strange_bytes(content: bytes, chance: Random) -> bytes:
    place = chance.choice([0, len(content), chance.randrange(len(content))])
    return content[:place] + chance.choice(STRANGE) + content[place + chance.choice([0, 1]) :]


def cut_short(content: bytes, chance: Random) -> bytes:
    return content[: chance.randrange(len(content))]


def stretch_gone(content: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.choice([1, 2, 10, 100]) :]


def stretch_twice(content: bytes, chance: Random) -> bytes:
    start = chance.randrange(len(content))
    stop = start + chance.choice([1, 2, 10, 100, 10_000])
    return content[:stop] + content[start:stop] * chance.choice([1, 1, 50]) + content[stop:]


def lines_changed(content: bytes, chance: Random) -> bytes:
    lines = content.split(b"\n")
    first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
    way = chance.choice(["drop", "repeat", "swap", "join", "empty", "all but one"])
    if way == "drop":
        del lines[first]
    elif way == "repeat":
        lines.insert(second, lines[first])
    elif way == "swap":
        lines[first], lines[second] = lines[second], lines[first]
    elif way == "join" and len(lines) > 1:
        first = min(first, len(lines) - 2)
        lines[first : first + 2] = [lines[first] + lines[first + 1]]
    elif way == "empty":
        lines.insert(first, chance.choice([b"", b" ", b"\t", b"#"]))
    else:
        lines = [lines[first]]
    return b"\n".join(lines)


def other_line_ends(content: bytes, chance: Random) -> bytes:
    ends = chance.choice(
        [[b"\r\n"], [b"\r"], [b"\r\n", b"\n", b"\r"], [b"\n\r"], [b"\x0b"], [b" "]]
    )
    spoiled = b"".join(line + chance.choice(ends) for line in content.split(b"\n"))
    return chance.choice([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf"]) + spoiled


def other_number(content: bytes, chance: Random) -> bytes:
    numbers = list(_NUMBER.finditer(content))
    if not numbers:
        return strange_bytes(content, chance)
    found = chance.choice(numbers)
    return content[: found.start()] + chance.choice(NUMBERS).encode() + content[found.end() :]


def words_changed(content: bytes, chance: Random) -> bytes:
    words = list(_WORD.finditer(content))
    if len(words) < 2:
        return stretch_twice(content, chance)
    first, second = sorted(chance.sample(words, 2), key=lambda word: word.start())
    one, other = first.group(), second.group()
    if chance.random() < 0.5:
        one, other = chance.choice([b"", one + one, one.swapcase(), one[::-1]]), one
    between = content[first.end() : second.start()]
    return content[: first.start()] + other + between + one + content[second.end() :]


def packed(content: bytes, chance: Random) -> bytes:
    spoiled = gzip.compress(content, mtime=0)
    way = chance.choice([flipped_bits, cut_short, lambda given, _: given + given[:9], None])
    return spoiled if way is None else way(spoiled, chance)


def other_encoding(content: bytes, chance: Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(
        chance.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "cp500"]), "replace"
    )


def several(content: bytes, chance: Random) -> bytes:
    for _ in range(chance.randint(2, 6)):
        content = chance.choice(BYTES[:8])(content or b"x", chance)
    return content


BYTES = [flipped_bits, strange_bytes, cut_short, stretch_gone, stretch_twice, lines_changed]
BYTES += [other_line_ends, other_number, words_changed, packed, other_encoding, several]


# -- JSON ----------------------------------------------------------------------------------------

VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    0.5,
    -0.5,
    10**6,
    10**12,
    10**400,
    float("nan"),
]
VALUES += [float("inf"), 1e308, 1e-320, "", "x", "nan", "-inf", [], {}, [[]], [1, 2], {"x": 1}]
VALUES += ["\0", "\ud800", "x" * 1000, [None], [0.25] * 4, [[0.25] * 4] * 2, "dna", "protein"]


def other_json(content: bytes, chance: Random) -> bytes:
    """Change one value, key or order in the tree of a JSON file, or nest it deeply."""
    tree = json.loads(content)
    if chance.random() < 0.02:
        depth = chance.choice([100, 100_000])
        return b"[" * depth + content + b"]" * depth
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        pairs = node.items() if isinstance(node, dict) else enumerate(node)
        for key, child in list(pairs):
            places.append((node, key))
            if isinstance(child, dict | list):
                walk(child)

    walk(tree)
    # A long list of numbers must not hide the rest.
    shallow = [(node, key) for node, key in places if isinstance(node, dict) or len(node) < 5]
    node, key = chance.choice(chance.choice([places, shallow]))
    way = chance.choice(["value", "value", "value", "drop", "repeat", "near", "rename", "order"])
    if way == "value":
        node[key] = chance.choice(VALUES)
    elif way == "drop":
        del node[key]
    elif way == "near" and isinstance(node[key], int | float) and not isinstance(node[key], bool):
        node[key] = chance.choice([node[key] + 1, -node[key], node[key] * 1.001, 2 * node[key]])
    elif way == "rename" and isinstance(node, dict):
        node[chance.choice(["x", "", key.upper()])] = node.pop(key)
    elif way == "order" and isinstance(node, list):
        node.reverse()
    elif isinstance(node, list):
        node.insert(key, node[key])
    else:
        node[key] = [node[key]]
    return json.dumps(tree).encode()


# -- archives of arrays --------------------------------------------------------------------------


def other_arrays(content: bytes, chance: Random) -> bytes:
    """Change one array of an archive, or how it is packed."""
    with np.load(io.BytesIO(content)) as file:
        arrays: dict[str, Any] = {name: file[name] for name in file.files}
    name = chance.choice(list(arrays))
    array = arrays[name]
    way = chance.choice(
        [
            "drop",
            "rename",
            "value",
            "value",
            "shape",
            "type",
            "size",
            "swap",
            "text",
            "pack",
            "claim",
        ]
    )
    stream = io.BytesIO()
    if way == "drop":
        del arrays[name]
    elif way == "rename":
        arrays[chance.choice(["x", "../x", "", name.upper()])] = arrays.pop(name)
    elif way == "value" and array.dtype.kind in "iuf" and array.size:
        array = array.copy()
        wrong = [np.nan, np.inf, -np.inf, 1e308, 5e-324, -1.0, 0.0, 1e18]
        with np.errstate(all="ignore"):
            place = chance.randrange(array.size)
            array.reshape(-1)[place] = np.array(chance.choice(wrong)).astype(array.dtype)
        arrays[name] = array
    elif way == "shape":
        shapes = [(-1,), (1, -1), (-1, 1), (1, 1, -1)]
        arrays[name] = array.reshape(chance.choice(shapes))
    elif way == "type":
        with np.errstate(all="ignore"):
            kinds = ["f4", "c16", "U", "i8", "?", "S", "M8[s]"]
            kinds = [kind for kind in kinds if array.dtype.kind in "iufb" or kind in "US"]
            arrays[name] = array.astype(chance.choice(kinds))
    elif way == "size":
        flat = array.reshape(-1)
        arrays[name] = chance.choice([flat[:0], flat[:-1], np.concatenate([flat, flat])])
    elif way == "swap":
        other = chance.choice(list(arrays))
        arrays[name], arrays[other] = arrays[other], array
    elif way == "text" and array.dtype.kind == "U":
        text = str(array.reshape(-1)[0])
        change = other_json if text.startswith("{") else other_number
        arrays[name] = np.array(change(text.encode(), chance).decode("utf-8", "replace"))
    elif way == "pack":
        arrays["zeros"] = np.zeros(10**6)
        np.savez_compressed(stream, **arrays)
        return stream.getvalue()
    elif way == "claim":
        return _claiming(arrays, name, chance)
    np.savez(stream, **arrays)
    return stream.getvalue()


def _claiming(arrays: dict[str, Any], name: str, chance: Random) -> bytes:
    """Let an array say that it is larger than it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for each, array in arrays.items():
            held = io.BytesIO()
            np.lib.format.write_array(held, np.asarray(array))
            data = held.getvalue()
            if each == name:
                shape = f"({10 ** chance.choice([3, 9, 15, 30])},)"
                head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
                head = head.ljust(117) + "\n"
                size = len(head).to_bytes(2, "little")
                data = b"\x93NUMPY\x01\x00" + size + head.encode() + data[-8:]
            archive.writestr(f"{each}.npy", data)
    return stream.getvalue()
