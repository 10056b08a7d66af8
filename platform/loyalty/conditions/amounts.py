"""`amount("25.00")`: minor units of the program's currency, worked out when it is compiled."""

from collections.abc import Sequence

from loyalty.conditions.fault import ConditionFault
from loyalty.conditions.tokens import Token
from loyalty.errors import Refused
from loyalty.units import currency_places, parse_minor

FUNCTION = "amount"


def folded(source: str, tokens: Sequence[Token], currency: str | None) -> str:
    """The source with a number in place of each amount, everything else where it was.

    :raises ConditionFault: a wrong amount, or no currency to read it in
    """
    pieces, done = [], 0
    for index, token in enumerate(tokens):
        if not _is_amount(tokens, index):
            continue
        minor, end = _minor(source, tokens, index, currency), tokens[index + 3].end
        # Padded, so that a later fault is shown at its place: the number is always the shorter.
        pieces += [source[done : token.start], " ", str(minor)]
        pieces.append(_blank(source[token.start + 1 + len(str(minor)) : end]))
        done = end
    return "".join([*pieces, source[done:]])


def _is_amount(tokens: Sequence[Token], index: int) -> bool:
    called = index + 1 < len(tokens) and tokens[index + 1].text == "("
    of_something = index > 0 and tokens[index - 1].text == "."
    return tokens[index].text == FUNCTION and called and not of_something


def _minor(source: str, tokens: Sequence[Token], index: int, currency: str | None) -> int:
    argument = tokens[index + 2] if index + 2 < len(tokens) else None
    closed = index + 3 < len(tokens) and tokens[index + 3].text == ")"
    text = argument.value if argument is not None else None
    if argument is None or text is None or not closed:
        message = 'write an amount as a text in quotes, such as amount("25.00")'
        raise ConditionFault(message, source, tokens[index].start)
    if currency is None:
        message = "amount(...) needs a currency, and none is given here: set `currency`"
        raise ConditionFault(message, source, tokens[index].start)
    if (places := currency_places(currency)) is None:
        message = f"{currency!r} is not an ISO 4217 currency code"
        raise ConditionFault(message, source, tokens[index].start)
    try:
        return parse_minor(text, places, field=FUNCTION)
    except Refused as refusal:
        message = f"the amount {argument.text} {_said(refusal.message)} ({currency})"
        raise ConditionFault(message, source, argument.start) from None


def _said(message: str) -> str:
    return message if not message.startswith("send") else "is no plain decimal number"


def _blank(text: str) -> str:
    return "".join("\n" if character == "\n" else " " for character in text)
