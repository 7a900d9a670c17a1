"""A name taken apart into words: signs spelled out, words written together separated."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from gliomask.datasets import vocabulary as vocab

PERHAPS = "perhapsagent"
"""Stands for a sign that may mean an agent."""
UNSURE = "unsureagent"
"""Stands for an agent with a question mark or a zero."""
AGENT_LABEL, UNCLEAR_LABEL = "agentlabel", "unclearlabel"
"""Stand for a BIDS entity ``ce`` that means contrast, and for one whose label says nothing."""
WITH_AND_WITHOUT = "withandwithout"
"""Stands for words or signs that state both."""
_NAMED = r"(?:gd|gado?|gadolinium|km|mdc|contrast\w*|kontrast\w*|civ)"
_AGENT = rf"(?:ce?|{_NAMED})"
_PLUS_MINUS = r"(?:[+]\s?/\s?-|[+]-|-\s?/\s?[+]|±)"
_AMOUNT = r"\s?(?:ml|cc|mmol)"
_ZERO = rf"(?:(?:-|[=:]\s?)?0|\s?0{_AMOUNT})(?![a-z0-9]|[.,]\d)"
_CLOSE = r"(?=[\s)\],;]|$)"
_EDGE = r"(?![a-z0-9])"
_REGISTERED = (
    r"((?:t[12]|flair|fla?|ct|pet|adc|dwi|swi|swan|asl|r?cbv)[a-z0-9]*)"
    r"[\s_-]+(?:co)?reg(?:istered)?(?:[\s_-]+to)?[\s_-]+"
    r"(?:t[12](?:w|ce?|gd|gad)?|ct1|flair|mni\w*|sri(?:24)?|atlas)(?=[\s_-]|$)"
)
"""An image and the one that it is registered to (``FLAIR_reg_T1``). ``T1_to_T2`` stays a question:
it may also be a T2 that a network made from a T1."""
_SPELLED = tuple(
    (re.compile(pattern), spelled)
    for pattern, spelled in (
        (r"(?<![a-z0-9])(?:sub|ses|space|run|dir|from|to|den|hemi|task|echo|trc)"
         r"-[a-z0-9]+(?=_|$)", " "),
        (r"part-phase", " phase "),
        (r"space-(?:native|orig|t1w?|t2w?|flair|mni\w*)", " "),
        (r"native[\s_-]*space|space[\s_-]*native", " "),
        (_REGISTERED, r" \1 registered "),
        (r"_", " "),
        (_PLUS_MINUS + r"(?=[\s)\]]*(?:(?:" + _AGENT + r"|k)(?![a-z0-9])|$))",
         f" {WITH_AND_WITHOUT} "),
        (r"(?<![a-z])((?:t1w)?" + _AGENT + r")[\s(\[]*" + _PLUS_MINUS, rf" \1 {WITH_AND_WITHOUT} "),
        (r"(?<![a-z])(t1w?\s?)ce?" + _ZERO, rf" \1 {UNSURE} "),
        (r"(?<![a-z])(t1w)?" + _NAMED + _ZERO, rf" \1 {UNSURE} "),
        (rf"(?<![a-z0-9.,])0(?:{_AMOUNT}\s?)?" + _NAMED + _EDGE, f" {UNSURE} "),
        (r"(?<![a-z])(t1w)?" + _AGENT + r"[\s(\[]*[?]+", rf" \1 {UNSURE} "),
        (r"(?<!\w)[?]+[\s)]*" + _AGENT + _EDGE, f" {UNSURE} "),
        (r"(?<![a-z0-9])ct1(?![a-z0-9])", f" {PERHAPS} t1 "),
        (r"(?<![a-z])un[\s-]enhanced", " unenhanced "),
        (r"(?<![a-z0-9])pred[\s-]+(?=kontrast)", " before "),
        (r"(kontrast)[\s-]+onces?i?" + _EDGE, r" before \1 "),
        (r"(kontrast)[\s-]+sonras?i?" + _EDGE, r" after \1 "),
        (r"flow[\s-]*comp\w*", " fc "),
        (r"^\s*sub[\s.-]*(?=\d)", " "),
        (r"(?<![a-z0-9])c[1-7]\s?-\s?t\d{1,2}" + _EDGE
         + r"|(?<![a-z0-9])t\d{1,2}\s?-\s?(?:t(?:[3-9]|1[0-2])|l[1-5])" + _EDGE
         + r"|(?<![a-z0-9])[tl]\d{1,2}\s?-\s?s1" + _EDGE, " spine "),
        (r"(?<![a-z])t1\w*\s*-\s*t1|(?<![a-z])t1.*(?<![a-z])minus.*t1", " t1 subtraction t1"),
        (r"(?<![a-z0-9])b[\s-]?=\s?\d+", " dwi "),
        (r"flair\s?[*]|flair[\s-]*star" + _EDGE, " flair t2star "),
        (r"multi[\s-]*echo\w*", " multiecho "),
        (r"pd[\s/]*t2", " pd t2 "),
        (r"divided\s*by", " dividedby "),
        (r"t2\w?\s*[*]|t2[\s-]*star\w*", " t2star "),
        (r"r2\s*[*]|r2[\s-]*star", " r2star "),
        (r"da(?:rk)?[\s-]*fl(?:uid)?" + _EDGE + r"|fluid[\s-]*att\w*", " darkfluid "),
        (r"(?<![a-z])(me)?mp[\s-]?rage", r" \1mprage "),
        (r"(?<![a-z0-9])([ctl])[\s-]?(?:spine|spn|sp)" + _EDGE, r" \1spine "),
        (r"phase[\s-]*contrast", " phasecontrast "),
        (r"field[\s-]*map\w*", " fieldmap "),
        (r"double[\s-]*(?:ir|inversion)" + _EDGE, " doubleir "),
        (r"(?:in|out|opp)[\s-]*phase", " phase "),
        (r"fat[\s-]*(?:sat|sup|suppr)\w*", " fatsat "),
        (r"(?<![a-z0-9])w/?o\s*[/&+]{0,2}\s*w/?(?![a-z0-9])", f" {WITH_AND_WITHOUT} "),
        (r"3[\s-]*pl(?:ane?)?" + _EDGE, " 3plane "),
        (r"plan[\s-]*scan" + _EDGE, " planscan "),
        (r"csf[\s-]*flow", " csfflow "),
        (r"(?<![a-z0-9])i\.?\s?v\.?\s?[+]", " gd "),
        (r"(?<![a-z0-9])i\.?\s?v\.?\s?-(?=\s|$)", " without gd "),
        (r"w[/&+]{0,2}\s*w/?o" + _EDGE + r"|with(?:out)? and with(?:out)?",
         f" {WITH_AND_WITHOUT} "),
        (r"(?<![a-z0-9])w[/\\]o" + _EDGE + r"|(?<![a-z0-9])w\.o\.", " without "),
        (r"(?<![a-z0-9])w/", " with "),
        (r"(?<![a-z0-9])c/\s?(?=" + _AGENT + _EDGE + ")", " with "),
        (r"(?<![a-z0-9])s/\s?(?=" + _AGENT + _EDGE + ")", " without "),
        (r"(?<![a-z0-9])i\.?\s?v\.", " iv "),
        (r"m\.\s?d\.\s?c\.?", " mdc "),
        (r"[+]\s*(?:" + _AGENT + r"|k)" + _EDGE, " gd "),
        (r"(?<![a-z0-9])" + _AGENT + r"\s?[+]", " gd "),
        (r"(?<![\w)\]*+-])-" + _AGENT + _EDGE, " without gd "),
        (r"(?<![a-z])(t1w?)\s?c\s?-" + _CLOSE, r" \1 without gd "),
        (r"(?<![a-z])(t1w?)\s?[+](?=\s|$)", rf" \1 {PERHAPS} "),
        (r"\s-\s+c(?=\s|$)", f" {PERHAPS} "),
        (r"(?<![a-z0-9])wc" + _EDGE, f" {PERHAPS} "),
        (r"(?<![a-z0-9])" + _AGENT + r"(?:-" + _CLOSE + r"|\s-(?=[)\]]|$))", " without gd "),
    )
)  # fmt: skip
"""Signs and pairs of words -> one word, in this order, on the name in lower case."""
_LETTERS = str.maketrans(
    {"ß": "ss", "ı": "i", "ł": "l", "ø": "oe", "æ": "ae", "đ": "d", "ð": "d", "œ": "oe"}
    | dict.fromkeys("‐‑‒–—−", "-")
)
"""Letters that are no other letter with an accent, and dashes."""
_BIDS_AGENT = re.compile(r"(?<![a-z0-9])ce-([a-z0-9]+)(?=_|$)")
_DENYING = vocab.DENIALS | vocab.BEFORE | vocab.UNENHANCED | vocab.DENIED_BEHIND | {"native"}
_TOKEN = re.compile(r"[a-z0-9]+|[^\W_a-z0-9]+|[?\ufffd]{2,}")
"""Letters and digits; those of another script, and undecodable ones, are separate words."""
_WEIGHTED = re.compile(
    rf"(pre|post|gd|gad|km|ce)?(?:{'|'.join(vocab.PREFIXES)})?(t[12])(?:w(?:eighted|i)?)?(?:(ce?|n|f)(?=\d*$|post|pre))?(.*)"
)
_PREFIXED = re.compile(r"(?:3d|2d|wmr|wm|wr|[rwse])(flair|mprage)w?\d*")
_OTHER = frozenset().union(*vocab.OTHER.values())
_PARTS = sorted(
    (vocab.CONTRAST | vocab.TECHNIQUES | frozenset().union(*vocab.WEIGHTINGS.values())
     | vocab.NOT_AGENT | vocab.UNENHANCED
     | {"post", "pre", "non", "no", "without", "with", "wo", "ohne", "sans", "sin", "nach",
        "native"} | frozenset(word for word in _OTHER if len(word) > 2)),
    key=len,
    reverse=True,
)  # fmt: skip
_KNOWN = frozenset().union(
    *vocab.OTHER.values(), *vocab.ELSEWHERE.values(), *vocab.WEIGHTINGS.values(),
    vocab.HEAD, vocab.CONTRAST, vocab.AFTER, vocab.BEFORE, vocab.WITHOUT, vocab.WITH,
    vocab.UNENHANCED, vocab.NOT_AGENT, vocab.TECHNIQUES, vocab.BETWEEN, vocab.EXAMINATION,
    vocab.PERHAPS_CONTRAST,
    ("t1", "t2", "native", WITH_AND_WITHOUT, "dark"),
)  # fmt: skip


def words_of_name(name: str) -> list[str]:
    """The words of a name, lower case, accents off; ``t1`` and ``t2`` as separate words.

    >>> words_of_name("Ax T1 +C"), words_of_name("T2*_GRE"), words_of_name("T1wPostGd")
    (['ax', 't1', 'gd'], ['t2star', 'gre'], ['t1', 'post', 'gd'])
    """
    decomposed = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    plain = _BIDS_AGENT.sub(_spelled_label, plain)
    for pattern, spelled in _SPELLED:
        plain = pattern.sub(spelled, plain)
    return [word for token in _TOKEN.findall(plain) for word in parts_of_token(token)]


def _spelled_label(entity: re.Match[str]) -> str:
    """The entity ``ce`` of a BIDS name as words: contrast, unless its label denies it or says
    nothing."""
    parts = parts_of_token(entity[1])
    if any(part in _DENYING or denies_itself(part) for part in parts):
        return " unenhanced "
    unclear = all(part in vocab.NO_ANSWER | {"1"} for part in parts)
    return f" {UNCLEAR_LABEL if unclear else AGENT_LABEL} "


def is_agent(word: str) -> bool:
    """Return True if a word is the name of a contrast agent or of enhancement."""
    return word in vocab.CONTRAST or (len(word) > 5 and word.startswith(vocab.AGENT_STARTS))


def denies_itself(word: str) -> bool:
    """Return True for the name of an agent with an ending that denies it (``kontrastfrei``)."""
    return word.startswith(vocab.AGENT_STARTS) and word.endswith(vocab.DENYING_ENDS)


def is_known(word: str) -> bool:
    """Return True if a word is in the vocabulary, or is a number or a size."""
    return word in _KNOWN or re.fullmatch(r"\d+(mm|d|t)?", word) is not None


@lru_cache(4096)
def parts_of_token(token: str) -> tuple[str, ...]:
    """A token as the words that it consists of; itself, if it is one or can't be taken apart."""
    if token in _KNOWN:
        return (token,)
    if match := _PREFIXED.fullmatch(token):
        return (match[1],)
    if match := _WEIGHTED.fullmatch(token):
        return _weighted(*match.groups("")) or (token,)
    parts = _covered(token.rstrip("0123456789")) or (token,)
    return (token,) if len(parts) == 1 and parts[0] in _OTHER else parts


def _weighted(first: str, weighting: str, mark: str, rest: str) -> tuple[str, ...] | None:
    """The words of a token around ``t1`` or ``t2``; None if it has others in it."""
    if (weighting, mark, rest) == ("t2", "f", ""):
        return ("flair",)
    if not mark and rest[:1].isdecimal() and not rest[1:2].isalpha():
        return None  # t10 and the like are numbers
    tail = _covered(rest.rstrip("0123456789"))
    meant = {"c": ("gd",), "ce": ("gd",), "n": ("unenhanced",)}.get(mark, ())
    before = [{"ce": "gd"}.get(first, first)] if first else []
    return None if tail is None else (*before, weighting, *meant, *tail)


@lru_cache(4096)
def _covered(text: str) -> tuple[str, ...] | None:
    """Known words that a text consists of; None if there are none."""
    if not text:
        return ()
    for part in _PARTS:
        if text.startswith(part):
            rest = _covered(text[len(part) :])
            if rest is not None and (len(part) > 1 or not rest):
                return (part, *rest)
    return None
