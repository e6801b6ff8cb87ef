"""Words as answers: what tells two of them apart must survive, what is only around one need not."""

from __future__ import annotations

import random

from benchmarks.answers.forms.base import Form, Written

# name: (text, truth, different answers)
_TEXTS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    "word": (
        ("Paris", "Paris", ("London", "Pari", "Paris Hilton")),
        ("photosynthesis", "photosynthesis", ("respiration", "synthesis")),
        ("yes", "yes", ("no",)),
        ("No", "No", ("Yes",)),
        ("True", "True", ("False",)),
        ("valid", "valid", ("invalid",)),
        ("impossible", "impossible", ("possible",)),
    ),
    "words": (
        ("New York City", "New York City", ("New York", "York", "New City")),
        ("George Washington", "George Washington", ("Washington", "George")),
        (
            "the Battle of Hastings",
            "the Battle of Hastings",
            ("Hastings", "the Battle of Bosworth"),
        ),
        ("not guilty", "not guilty", ("guilty",)),
        ("red, green and blue", "red, green and blue", ("red", "red, green", "blue")),
    ),
    "initials": (
        ("U.S. Grant", "U.S. Grant", ("U.S", "Grant")),
        ("Dr. No", "Dr. No", ("Dr", "No")),
        ("St. John's", "St. John's", ("St", "John")),
        ("J. R. R. Tolkien", "J. R. R. Tolkien", ("J", "Tolkien")),
        ("Washington, D.C.", "Washington, D.C.", ("Washington",)),
    ),
    "signs": (
        ("C++", "C++", ("C", "C#")),
        ("C#", "C#", ("C", "C++")),
        ("A+", "A+", ("A", "A-")),
        ("O-", "O-", ("O", "O+")),
        ("AT&T", "AT&T", ("ATT", "AT T")),
        ("24/7", "24/7", ("247", "7/24")),
        ("!x && y", "!x && y", ("x && y", "x y")),
        ("p -> q", "p -> q", ("p <- q", "p q", "q -> p")),
        ("x != y", "x != y", ("x = y", "x y")),
        ("a < b", "a < b", ("a > b", "a b")),
    ),
    "values": (
        ("-5 C", "-5 C", ("5 C",)),
        ("3.14", "3.14", ("314", "3")),
        ("-1/2", "-1/2", ("1/2", "-12")),
        ("2:1", "2:1", ("21", "1:2")),
        ("$5 off", "$5 off", ("$50 off", "off")),
        ("10%", "10%", ("100%",)),
        ("1 2 3", "1 2 3", ("123", "1 2 4", "12 3")),
    ),
    "dates": (
        ("05/01/2021", "05/01/2021", ("01/05/2021", "05012021", "05/01/2012")),
        ("1999-12-31", "1999-12-31", ("1999-12-13", "19991231")),
        ("July 4, 1776", "July 4, 1776", ("July 4, 1777", "July 14, 1776", "July 4")),
        ("3:45 PM", "3:45 PM", ("3:45 AM", "345 PM")),
    ),
    "hyphens": (
        ("well-known", "well-known", ("known", "well")),
        ("twenty-one", "twenty-one", ("twenty", "one")),
        ("Jean-Luc Picard", "Jean-Luc Picard", ("Jean", "Luc Picard")),
    ),
    "accents": (
        ("café", "café", ("caf",)),
        ("São Paulo", "São Paulo", ("Paulo", "S o Paulo")),
        ("東京", "東京", ("京都", "東")),
        ("Москва", "Москва", ("Минск",)),
        ("القاهرة", "القاهرة", ("دمشق",)),
        ("Ångström", "A\u030angstro\u0308m", ("Angstrom's law",)),
    ),
    "apostrophe": (
        ("O'Brien", "O'Brien", ("Brien", "O")),
        ("Rubik’s cube", "Rubik's cube", ("cube", "Rubik")),
    ),
    "brackets": (
        (") ] }", ") ] }", (") }", "] )", ") ] ]")),
        ("( ( ) )", "( ( ) )", ("( )", ") ) ( (")),
        ("[1, 2, 3]", "[1, 2, 3]", ("[1, 3, 2]", "[1, 2]", "123")),
        ("f(x)", "f(x)", ("f", "g(x)")),
    ),
    "lines_of_words": (
        ("ant bee cat", "ant bee cat", ("cat bee ant", "ant bee", "ant")),
        ("syne tailored uphill", "syne tailored uphill", ("syne uphill tailored", "uphill")),
    ),
    "quoted": (
        ('"Hamlet"', "Hamlet", ("Macbeth",)),
        ("“Moby Dick”", "Moby Dick", ("Moby", "Dick")),
    ),
    "sentence": (
        ("He ate the cake.", "He ate the cake.", ("He ate the", "The cake ate he.")),
        ("What did she see?", "What did she see?", ("What did she saw?", "She see what did")),
    ),
    "url": (
        (
            "https://example.org/a?b=1",
            "https://example.org/a?b=1",
            ("https://example.org/a?b=2", "https"),
        ),
        ("/usr/local/bin", "/usr/local/bin", ("/usr/local", "usr local bin x")),
        ("main.py", "main.py", ("main", "py")),
    ),
    "markdown": (
        ("snake_case_name", "snake_case_name", ("snakecasename", "snake")),
        ("2*3*4", "2*3*4", ("234", "2*3")),
        ("a_1 b_2", "a_1 b_2", ("a1 b2", "a_1")),
    ),
}
_BOXED = {"word", "words", "dates", "hyphens", "lines_of_words"}


def _form(name: str, texts: tuple[tuple[str, str, tuple[str, ...]], ...]) -> Form:
    def write(rng: random.Random) -> Written:
        text, truth, differs = rng.choice(texts)
        return Written(text, truth, differs)

    return Form(f"text.{name}", ("text",), write, prose=False, boxes=name in _BOXED)


def _grid(name: str, joint: str) -> Form:
    def write(rng: random.Random) -> Written:
        rows = [[rng.randint(0, 9) for _ in range(3)] for _ in range(3)]

        def show(cells: list[list[int]]) -> str:
            return "\n".join(joint.join(map(str, row)) for row in cells)

        changed = [row[:] for row in rows]
        changed[2][2] = (changed[2][2] + 1) % 10
        turned = [list(row) for row in zip(*rows, strict=True)]
        wrong = [show(changed), show(rows[:1]), show(rows[:2]), show(rows[1:])]
        wrong += [show(turned)] if turned != rows else []
        return Written(show(rows), show(rows), tuple(wrong))

    return Form(
        f"grid.{name}",
        ("text",),
        write,
        prose=False,
        boxes=False,
        source="sudoku, boards, reasoning-gym",
    )


def _steps() -> Form:
    def write(rng: random.Random) -> Written:
        moves = [
            f"Move disk {rng.randint(1, 4)} from Peg {a} to Peg {b}"
            for a, b in ((1, 3), (1, 2), (3, 2), (2, 3))
        ]
        text = "\n".join(moves)
        wrong = ("\n".join(moves[:-1]), moves[0], moves[-1], "\n".join(moves[::-1]))
        return Written(text, text, wrong)

    return Form(
        "grid.steps",
        ("text",),
        write,
        prose=False,
        boxes=False,
        source="reasoning-gym tower_of_hanoi",
    )


FORMS: tuple[Form, ...] = (
    *(_form(name, texts) for name, texts in _TEXTS.items()),
    _grid("spaces", " "),
    _grid("joined", ""),
    _grid("commas", ", "),
    _grid("bars", " | "),
    _steps(),
)
