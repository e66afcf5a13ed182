"""An independent model of transforms: what docs/transforms.md says, in Python.

Numbers are kept as the texts that JSON has, because a record repeats their digits.
"""

import datetime
import decimal
import hashlib
import hmac
import json
import re

NOW = "2024-01-15T10:30:00.123456Z"
SECRET = b"pepper"
META = {"key": "k", "route": "r", "received_at": NOW}
WHITE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


class Number(str):
    """A number of JSON, by its text."""

    __slots__ = ()

    def value(self):
        return decimal.Decimal(self)


class Refused(Exception):
    """The event does not hold what the record needs."""


class Nothing(Exception):
    """There is no value."""


def read(text):
    return json.loads(text, parse_float=Number, parse_int=Number)


def write(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{write(key)}:{write(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def is_text(value):
    return isinstance(value, str) and not isinstance(value, Number)


def as_text(value):
    return value if is_text(value) else write(value)


def is_nothing(value, skip):
    if value is None:
        return skip in ("null", "empty")
    return skip == "empty" and not isinstance(value, Number) and value in ("", [], {})


def is_empty(value):
    if isinstance(value, Number):
        return float(value) == 0
    return not value


class Scope:
    def __init__(self, event, here, outer=None):
        self.event, self.here, self.outer = event, here, outer


def tokens(pointer):
    return [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]


def find(scope, source, skip):
    prefix, _, rest = source.rpartition(":") if ":" in source else ("", "", source)
    if prefix == "meta":
        value = META.get(rest[1:])
    else:
        root = {"": scope.here, "payload": scope.event["detail"], "event": scope.event}
        value = root[prefix] if prefix in root else scope.outer.here
        for token in tokens(rest):
            if isinstance(value, dict) and token in value:
                value = value[token]
            elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", token) and int(token) < len(value):
                value = value[int(token)]
            elif isinstance(value, dict) or (isinstance(value, list) and token.isdigit()):
                raise Nothing
            elif is_nothing(value, skip):
                raise Nothing
            else:
                raise Refused
    if is_nothing(value, skip):
        raise Nothing
    return value


def find_first(scope, sources, skip):
    for source in sources if isinstance(sources, list) else [sources]:
        try:
            return find(scope, source, skip)
        except Nothing:
            pass
    raise Nothing


def need(condition):
    if not condition:
        raise Refused


# Conversions.


def to_string(value):
    need(not isinstance(value, (dict, list)))
    return as_text(value)


def to_number(value):
    need(isinstance(value, str) and re.fullmatch(r"-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?", value))
    return Number(value)


def to_integer(value):
    number = to_number(value).value()
    need(number == number.to_integral_value())
    return Number(f"{int(number)}")


def to_boolean(value):
    need(isinstance(value, bool) or (is_text(value) and value in ("true", "false")))
    return value if isinstance(value, bool) else value == "true"


def text_only(function):
    def convert(value):
        need(is_text(value))
        return function(value)

    return convert


def parse_json(value):
    need(is_text(value))
    try:
        return read(value)
    except ValueError:
        raise Refused from None


def length(value):
    need(is_text(value) or isinstance(value, (list, dict)))
    return Number(str(len(value)))


def element(index):
    def convert(value):
        need(isinstance(value, list))
        if not value:
            raise Nothing
        return value[index]

    return convert


def split(value, separator):
    need(is_text(value))
    return value.split(separator)


def join(value, separator):
    need(isinstance(value, list) and not any(isinstance(one, (dict, list)) for one in value))
    return separator.join(map(as_text, value))


def extract(value, pattern):
    need(is_text(value))
    match = re.search(pattern, value)
    if not match or (match.re.groups and match[1] is None):
        raise Nothing
    return match[1] if match.re.groups else match[0]


def replace(value, arguments):
    need(is_text(value))

    def put(match):
        return re.sub(
            r"\$([$&1-9])",
            lambda m: {"$": "$", "&": match[0]}.get(m[1]) or (match[int(m[1])] or "" if m[1].isdigit() else ""),
            arguments[1],
        )

    return re.sub(arguments[0], put, value)


def cut(value, arguments):
    need(is_text(value))
    return value[int(arguments[0]) : int(arguments[1]) if len(arguments) > 1 else None]


def shift(value, places):
    need(isinstance(value, Number))
    places = int(places)
    if places == 0:
        return value
    with decimal.localcontext() as context:
        context.prec = 200
        mantissa, letter, exponent = re.fullmatch(r"([^eE]*)([eE]?)(.*)", value).groups()
        if letter:
            return Number(f"{mantissa}{letter}{int(exponent) + places}")
        moved = decimal.Decimal(mantissa).scaleb(places)
        return Number(format(moved, "f"))


def mask(value, keep):
    need(is_text(value))
    keep = int(keep)
    shown = keep if len(value) >= keep else 0
    return "*" * (len(value) - shown) + value[len(value) - shown :]


def read_time(text):
    """The moment of an RFC 3339 time in UTC and its fraction, or None."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)([.]\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))", text)
    if not match:
        return None
    day, clock, fraction, sign, hours, minutes = match.groups()
    offset = datetime.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        moment = datetime.datetime.fromisoformat(f"{day}T{clock}")
        return (moment + offset if sign == "-" else moment - offset), fraction or ""
    except ValueError:
        return None
    except OverflowError:
        return "beyond the years", ""


def epoch(factor):
    def convert(value):
        if is_text(value) and read_time(value):
            return value
        need(isinstance(value, Number))
        number = value.value() * factor
        need(factor == 1000 or number == number.to_integral_value())
        ms = int(number.to_integral_value(decimal.ROUND_FLOOR))
        need(-62167219200000 <= ms <= 253402300799999)
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=ms)
        return moment.strftime(f"{moment.year:04}-%m-%dT%H:%M:%S.") + f"{ms % 1000:03}Z"

    return convert


def to_utc(value):
    need(is_text(value))
    moment, fraction = read_time(value) or (None, "")
    need(isinstance(moment, datetime.datetime))
    return moment.strftime(f"{moment.year:04}-%m-%dT%H:%M:%S") + fraction + "Z"


def to_date(value):
    need(is_text(value))
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        need(read_time(value + "T00:00:00Z"))
    else:
        need(read_time(value) or read_time(value + "Z"))
    return value[:10]


PLAIN = {
    "lower": text_only(str.lower),
    "upper": text_only(str.upper),
    "trim": text_only(lambda text: text.strip(WHITE)),
    "string": to_string,
    "number": to_number,
    "integer": to_integer,
    "boolean": to_boolean,
    "json": write,
    "parse_json": parse_json,
    "epoch_s_to_iso8601": epoch(1000),
    "epoch_ms_to_iso8601": epoch(1),
    "iso8601_utc": to_utc,
    "date": to_date,
    "sha256": text_only(lambda text: hashlib.sha256(text.encode()).hexdigest()),
    "length": length,
    "first": element(0),
    "last": element(-1),
}
def keyed_hash(value, _):
    need(is_text(value))
    return hmac.new(SECRET, value.encode(), "sha256").hexdigest()


WITH = {"hmac_sha256": keyed_hash, "split": split, "join": join, "extract": extract, "replace": replace, "slice": cut, "shift": shift, "mask": mask}


def convert(value, steps):
    for step in steps if isinstance(steps, list) else [steps]:
        if value is None:
            break
        if isinstance(step, str):
            value = PLAIN[step](value)
        else:
            ((name, argument),) = step.items()
            value = WITH[name](value, argument)
    return value


def translate(value, field):
    if "map" not in field or value is None:
        return value
    for key, result in field["map"].items():
        if is_text(value):
            fits = key == value
        elif isinstance(value, Number):
            fits = re.fullmatch(r"-?[0-9]+([.][0-9]+)?", key) and decimal.Decimal(key) == value.value()
        else:
            fits = isinstance(value, bool) and key == write(value)
        if fits:
            return result
    return field.get("otherwise", value)


# Patterns of top-level members, with some of the operators.


def scalars(value):
    """The scalars of a member: arrays are transparent, objects hide what is in them."""
    if isinstance(value, list):
        return [scalar for one in value for scalar in scalars(one)]
    return [] if isinstance(value, dict) else [value]


def meets(condition, scalar):
    if isinstance(condition, dict):
        ((operator, wanted),) = condition.items()
        if operator == "prefix":
            return is_text(scalar) and scalar.startswith(wanted)
        return operator == "exists" or scalar not in wanted or isinstance(scalar, Number)
    if isinstance(condition, Number):
        return isinstance(scalar, Number) and scalar.value() == condition.value()
    return type(scalar) is type(condition) and scalar == condition


def fits(pattern, value):
    if not isinstance(value, dict):
        return False
    for key, conditions in pattern.items():
        found = scalars(value[key]) if key in value else []
        if {"exists": False} in conditions and not found:
            continue
        conditions = [one for one in conditions if one != {"exists": False}]
        if not any(meets(one, scalar) for one in conditions for scalar in found):
            return False
    return True


# Fields.


def text_of(scope, template, skip):
    def put(match):
        if match[0] in ("{{", "}}"):
            return match[0][0]
        return as_text(find(scope, match[1], skip))

    return re.sub(r"\{\{|\}\}|\{([^}]*)\}", put, template)


def value_of(scope, field):
    """The value of a field before default and required; raises Nothing."""
    skip = field.get("skip", "absent")
    if "each" in field:
        return items_of(scope, field)
    if "fields" in field:
        members = members_of(scope, field["fields"])
        if not members and not field.get("keep"):
            raise Nothing
        return members
    value = text_of(scope, field["text"], skip) if "text" in field else find_first(scope, field["from"], skip)
    if "required" in field and is_empty(value):
        raise Refused
    return translate(convert(value, field.get("as", [])), field)


def items_of(scope, field):
    skip = field.get("skip", "absent")
    array = find_first(scope, field["each"], "null" if "from" in field and skip == "empty" else skip)
    need(isinstance(array, list))
    need(array or "required" not in field)
    items = []
    for one in array:
        inner = Scope(scope.event, one, scope)
        if "where" in field and not fits(field["where"], one):
            continue
        if "fields" in field:
            members = members_of(inner, field["fields"])
            if members or field.get("keep"):
                items.append(members)
            continue
        try:
            items.append(translate(convert(find(inner, field["from"], skip), field.get("as", [])), field))
        except Nothing:
            pass
    return items


def members_of(scope, fields):
    members, applied = {}, set()
    for field in fields:
        if "when" in field and not fits(field["when"], scope.here):
            continue
        if "copy" in field:
            try:
                object_ = find_first(scope, field["copy"], field.get("skip", "absent"))
            except Nothing:
                continue
            need(isinstance(object_, dict))
            members.update({key: value for key, value in object_.items() if f"/{key}" not in field.get("without", [])})
            continue
        name = field["name"]
        if "when" in field and name in applied:
            continue
        applied.add(name)
        if "value" in field or "now" in field:
            members[name] = field.get("value", NOW)
            continue
        try:
            members[name] = value_of(scope, field)
        except Nothing:
            if "default" in field:
                members[name] = field["default"]
            else:
                need("required" not in field)
    return members


def record(transform, event):
    """The record as text, or `dropped`; raises Refused."""
    if "drop_when" in transform and fits(transform["drop_when"], event["detail"]):
        return "dropped"
    return write(members_of(Scope(event, event["detail"]), transform["fields"]))
