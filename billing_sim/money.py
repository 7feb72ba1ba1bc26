"""Money is counted, never measured: integer minor units of an ISO 4217 currency, and no floats anywhere.

>>> parse_price("9.99 USD")
Price(amount_minor=999, currency='USD')
>>> format_minor(1234567, "JPY"), format_minor(-1999, "KWD")
('1,234,567 JPY', '-1.999 KWD')
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

AMOUNT_LIMIT = 10**15
"""The largest amount, in minor units, that a scenario may name; sums over a population stay inside 64 bits."""

# ISO 4217 (list one, 2025): the currencies in circulation. Two decimals unless listed below.
_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS
KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP
TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG
""".split()
_ZERO = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split()
_THREE = "BHD IQD JOD KWD LYD OMR TND".split()

EXPONENTS: dict[str, int] = dict.fromkeys(_TWO, 2) | dict.fromkeys(_ZERO, 0) | dict.fromkeys(_THREE, 3)
"""Currency code -> number of decimals (ISO 4217)."""


@dataclass(frozen=True)
class Price:
    """An amount in minor units of its currency."""

    amount_minor: int
    currency: str


def to_minor(amount: Decimal, currency: str) -> int:
    """A decimal amount in major units as minor units; ValueError when it does not fit a whole number of them."""
    minor = amount.scaleb(EXPONENTS[currency])
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of minor units of {currency}")
    if abs(minor) > AMOUNT_LIMIT:
        raise ValueError(f"{amount} {currency} is beyond {AMOUNT_LIMIT} minor units")
    return int(minor)


def parse_price(text: str) -> Price:
    """Read "9.99 USD" or "USD 9.99"; ValueError says what is wrong with it."""
    parts = text.split()
    if len(parts) == 2 and parts[0] in EXPONENTS:
        parts.reverse()
    if len(parts) != 2:
        raise ValueError(f"{text!r} is not an amount with its currency")
    number, currency = parts
    if currency not in EXPONENTS:
        raise ValueError(f"{currency!r} is not a currency of ISO 4217")
    try:
        amount = Decimal(number)
    except InvalidOperation:
        raise ValueError(f"{number!r} is not a number") from None
    if not amount.is_finite():
        raise ValueError(f"{number!r} is not a finite number")
    return Price(to_minor(amount, currency), currency)


def format_minor(amount_minor: int, currency: str) -> str:
    """The amount as people write it, with its currency: 999 USD minor units are "9.99 USD"."""
    exponent = EXPONENTS[currency]
    whole, rest = divmod(abs(amount_minor), 10**exponent)
    sign = "-" if amount_minor < 0 else ""
    decimals = f".{rest:0{exponent}d}" if exponent else ""
    return f"{sign}{whole:,}{decimals} {currency}"


def split(total_minor: int, weights: list[int]) -> list[int]:
    """Share a whole amount by weights so that the parts add up to it (largest remainders, earlier parts first).

    >>> split(1000, [1, 1, 1])
    [334, 333, 333]
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError("weights must be non-negative and not all zero")
    parts = [total_minor * weight // whole for weight in weights]
    remainders = [total_minor * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in order[: total_minor - sum(parts)]:
        parts[i] += 1
    return parts
