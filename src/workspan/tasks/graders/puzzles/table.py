"""Which family is checked how, and which ones are left out and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workspan.tasks.graders.puzzles import (
    arithmetic,
    boards,
    boxnet,
    cube,
    moves,
    rush_hour,
    single,
)
from workspan.tasks.graders.puzzles.forms import Check, Entry

CHECKED = "0.1.25"
"""The version of reasoning-gym whose families were checked one by one."""


@dataclass(frozen=True, slots=True)
class Family:
    """How answers of one family of puzzles are judged."""

    check: Check
    is_number: bool = False
    """All its answers are numbers, and votes count them as such."""
    reference: Callable[[Entry], str] | None = None
    """Makes a right answer, where the library gives none or one that is hard to read."""


_NUMBERS = (
    "aiw",
    "basic_arithmetic",
    "binary_alternation",
    "chain_sum",
    "circuit_logic",
    "count_bits",
    "count_primes",
    "decimal_arithmetic",
    "decimal_chain_sum",
    "dice",
    "gcd",
    "gsm_symbolic",
    "largest_island",
    "lcm",
    "leg_counting",
    "letter_counting",
    "maze",
    "number_format",
    "number_sequence",
    "products",
    "rectangle_count",
    "rotten_oranges",
    "self_reference",
    "simple_equations",
    "simple_geometry",
)
_CHECKS: Mapping[Check, tuple[str, ...]] = {
    single.exactly: (
        "ab",
        "base_conversion",
        "bf",
        "caesar_cipher",
        "emoji_mystery",
        "letter_jumble",
        "sentence_reordering",
        "string_insertion",
        "string_manipulation",
    ),
    single.whatever_case: (
        "acre",
        "color_cube_rotation",
        "course_schedule",
        "family_relationships",
        "game_of_life_halting",
        "isomorphic_strings",
        "mahjong_puzzle",
        "needle_haystack",
        "ransom_note",
        "spell_backward",
        "syllogism",
        "tsumego",
        "zebra_puzzles",
    ),
    single.as_rows: (
        "arc_1d",
        "arc_agi",
        "binary_matrix",
        "manipulate_matrix",
        "path_star",
        "rearc",
        "rotate_matrix",
        "spiral_matrix",
        "string_splitting",
        "string_synthesis",
    ),
    single.as_board: ("mini_sudoku", "sudoku"),
    single.as_list: ("word_sequence_reversal", "word_sorting"),
    single.as_value: ("game_of_life", "list_functions"),
    single.as_listed_numbers: ("number_filtering", "number_sorting"),
}
_FAMILIES: Mapping[str, Family] = {
    **{name: Family(single.as_number, is_number=True) for name in _NUMBERS},
    **{name: Family(check) for check, names in _CHECKS.items() for name in names},
    "advanced_geometry": Family(single.as_geometry),
    "bitwise_arithmetic": Family(single.as_hexadecimal),
    "boxnet": Family(boxnet.delivers, reference=boxnet.delivered),
    "calendar_arithmetic": Family(single.as_date_fact),
    "coin_flip": Family(single.as_probability, is_number=True),
    "complex_arithmetic": Family(single.as_complex),
    "countdown": Family(arithmetic.makes_target),
    "cryptarithm": Family(arithmetic.solves_cryptarithm),
    "figlet_font": Family(single.spaced),
    "fraction_simplification": Family(single.as_simplest),
    "futoshiki": Family(single.as_signed_board, reference=single.unsigned),
    "graph_color": Family(boards.colours_apart, reference=boards.coloured),
    "group_anagrams": Family(single.as_groups),
    "intermediate_integration": Family(arithmetic.is_antiderivative),
    "jugs": Family(moves.measures),
    "kakurasu": Family(boards.meets_weighted_sums),
    "knight_swap": Family(moves.swaps_knights),
    "knights_knaves": Family(single.as_who_is_what),
    "modulo_grid": Family(single.as_picture),
    "n_queens": Family(boards.keeps_queens_apart),
    "palindrome_generation": Family(moves.is_palindrome_of),
    "palindrome_partitioning": Family(single.as_partitions),
    "polynomial_equations": Family(single.as_roots),
    "polynomial_multiplication": Family(arithmetic.is_expanded_product),
    "pool_matrix": Family(single.as_numbers),
    "power_function": Family(single.to_three_figures, is_number=True),
    "prime_factorization": Family(single.as_factors),
    "puzzle24": Family(arithmetic.makes_24),
    "quantum_lock": Family(moves.presses_buttons),
    "rubiks_cube": Family(cube.solves_cube, reference=cube.solved_cube),
    "rush_hour": Family(rush_hour.drives_out, reference=rush_hour.driven_out),
    "shortest_path": Family(moves.finds_path),
    "simple_integration": Family(arithmetic.is_antiderivative),
    "sokoban": Family(moves.stores_boxes),
    "survo": Family(boards.fills_sums),
    "time_intervals": Family(single.as_duration),
    "tower_of_hanoi": Family(moves.moves_discs),
    "word_ladder": Family(moves.climbs_ladder),
}

LEFT_OUT: Mapping[str, str] = {
    "codeio": "runs programs that it brings, and what they give differs from run to run",
    "composite": "is a mixture of other sets, which a text can't describe",
    "propositional_logic": (
        "has premises that contradict each other, from which everything follows, and takes any "
        "formula that follows, so that a wrong answer can't be told"
    ),
}
"""Families that are not offered, and why: completes "codeio …"."""


def family(name: str) -> Family | None:
    """Return how a family is checked; None for one that is left out or not known."""
    return _FAMILIES.get(name)
