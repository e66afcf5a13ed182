"""A second implementation of the contract of POST /events, independent of the server.

Input: the body's bytes. Output: status and exact body, with "T" for the time stamp. Python's jsonschema 4.10
validates; `relevance`, `best_match` and `text` adapt its choice of the best error and its messages to 4.26.
Instance values are redacted.
"""

import json
import re

import jsonschema

UNSETTLED = object()  # the contract does not define the answer


class Refused(Exception):
    def __init__(self, error, details, errors=None):
        super().__init__(details)
        self.error, self.details, self.errors = error, details, errors


# Strict JSON; numbers keep their text.


class Int(int):
    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self


class Float(float):
    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self


def unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys) or any("\0" in key for key in keys):
        raise ValueError("keys")
    return dict(pairs)


def never(name):
    raise ValueError(name)


def check(value, depth=1):
    """Check the depth and refuse lone surrogates."""
    if isinstance(value, (dict, list)) and depth > 64:
        raise ValueError("depth")
    if isinstance(value, dict):
        for key, inner in value.items():
            key.encode()
            check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check(inner, depth + 1)
    elif isinstance(value, str):
        value.encode()


def parse(body):
    try:
        text = body.decode()
        value = json.loads(
            text.strip(" \t\r\n"),
            parse_int=Int,
            parse_float=Float,
            parse_constant=never,
            object_pairs_hook=unique,
        )
        check(value)
        return value
    except (ValueError, RecursionError):
        raise Refused("Processing failed", "Invalid JSON at byte ") from None


def write(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{write(key)}:{write(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    if isinstance(value, (Int, Float)):
        return value.text
    return json.dumps(value, ensure_ascii=False)


# JSON Pointer.


def tokens(pointer):
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def pointer_of(path):
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


# Validation.


def kind(value):
    if isinstance(value, bool):
        return "<boolean>"
    for types, name in (
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    ):
        if isinstance(value, types):
            return f"<{name}>"
    return "<null>"


def extras(error):
    known = error.schema.get("properties", {})
    return sorted(name for name in error.instance if name not in known)


def text(error):
    """The message of jsonschema 4.26 with the instance redacted."""
    seen, rule, limit = kind(error.instance), error.validator, error.validator_value
    if rule == "type":
        types = [limit] if isinstance(limit, str) else limit
        return f"{seen} is not of type " + ", ".join(map(repr, types))
    if rule == "additionalProperties":
        names = extras(error)
        was = "was" if len(names) == 1 else "were"
        return (
            "Additional properties are not allowed "
            f"({', '.join(map(repr, names))} {was} unexpected)"
        )
    if rule == "oneOf" and not error.context:
        return error.message.replace(repr(error.instance), seen, 1)
    templates = {
        "enum": f"{seen} is not one of {limit!r}",
        "const": f"{limit!r} was expected",
        "minimum": f"{seen} is less than the minimum of {limit!r}",
        "maximum": f"{seen} is greater than the maximum of {limit!r}",
        "exclusiveMaximum": f"{seen} is greater than or equal to the maximum of {limit!r}",
        "multipleOf": f"{seen} is not a multiple of {limit!r}",
        "minLength": f"{seen} should be non-empty" if limit == 1 else f"{seen} is too short",
        "minItems": f"{seen} should be non-empty" if limit == 1 else f"{seen} is too short",
        "maxLength": f"{seen} is too long",
        "maxItems": f"{seen} is too long",
        "minProperties": f"{seen} should be non-empty",
        "uniqueItems": f"{seen} has non-unique elements",
        "pattern": f"{seen} does not match {limit!r}",
        "anyOf": f"{seen} is not valid under any of the given schemas",
        "oneOf": f"{seen} is not valid under any of the given schemas",
        "not": f"{seen} should not be valid under {limit!r}",
        "contains": f"{seen} does not contain items matching the given schema",
        "required": error.message,
        "dependentRequired": error.message,
    }
    return templates[rule]


def accepts_type(error):
    types = error.schema.get("type") if isinstance(error.schema, dict) else None
    if types is None:
        return False
    checker = jsonschema.Draft202012Validator.TYPE_CHECKER
    return any(
        checker.is_type(error.instance, name)
        for name in ([types] if isinstance(types, str) else types)
    )


def relevance(error):
    return (
        -len(error.path),
        list(error.path),
        error.validator not in ("anyOf", "oneOf"),
        not accepts_type(error),
    )


def best_match(errors):
    best = max(errors, key=relevance)
    while best.context:
        smallest = sorted(best.context, key=relevance)[:2]
        if len(smallest) == 2 and relevance(smallest[0]) == relevance(smallest[1]):
            return best
        best = smallest[0]
    return best


def additional_properties(validator, rule, instance, schema):
    """Like jsonschema's function, but in the order of the instance; jsonschema uses the order of a set."""
    if rule is False:
        yield from standard_additional(validator, rule, instance, schema)
    elif validator.is_type(instance, "object"):
        for name, value in instance.items():
            if name not in schema.get("properties", {}):
                yield from validator.descend(value, rule, path=name)


standard_additional = jsonschema.Draft202012Validator.VALIDATORS["additionalProperties"]
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator, {"additionalProperties": additional_properties}
)


class Model:
    def __init__(self, schema, fields):
        self.schema = schema
        self.fields = fields
        self.validator = Validator(schema)

    def keyword_location(self, error):
        """Insert `$ref` into the path where it was followed; jsonschema omits it."""
        schema, path = self.schema, []
        for part in error.absolute_schema_path:
            while isinstance(schema, dict) and part not in schema and "$ref" in schema:
                path.append("$ref")
                target = schema["$ref"]
                schema = self.schema
                for token in tokens(target[1:]):
                    schema = schema[token]
            path.append(part)
            schema = schema[part]
        return pointer_of(path)

    def units(self, errors):
        for error in errors:
            yield {
                "instanceLocation": pointer_of(error.absolute_path),
                "keywordLocation": self.keyword_location(error),
                "error": text(error),
            }
            yield from self.units(error.context)

    def validate(self, payload):
        errors = list(self.validator.iter_errors(payload))
        if errors:
            raise Refused(
                "Schema validation failed", text(best_match(errors)), list(self.units(errors))
            )

    # The transform.

    @staticmethod
    def find(payload, pointer, name):
        """Returns (present, value). An intermediate null or scalar is refused."""
        value, way = payload, []
        for token in tokens(pointer):
            if isinstance(value, dict):
                if token not in value:
                    return False, None
                value = value[token]
            elif isinstance(value, list):
                if not re.fullmatch("0|[1-9][0-9]*", token) or int(token) >= len(value):
                    return False, None
                value = value[int(token)]
            else:
                where = ".".join(way)
                raise Refused(
                    "Processing failed",
                    f"Transformation failed: {where} is not an object (field {name} from {pointer})",
                )
            way.append(token)
        return True, value

    def field(self, payload, field, record):
        if "value" in field:
            record[field["name"]] = field["value"]
            return
        if field.get("now"):
            record[field["name"]] = "T"
            return
        sources = field["from"] if isinstance(field["from"], list) else [field["from"]]
        present, value = False, None
        for source in sources:
            present, value = self.find(payload, source, field["name"])
            if present:
                break
        if "required" in field and (not present or not value):
            raise Refused("Processing failed", "Transformation failed: " + field["required"])
        if not present:
            if "default" not in field:
                return
            value = field["default"]
        record[field["name"]] = value

    def transform(self, payload):
        record = {}
        for field in self.fields:
            self.field(payload, field, record)
        return record

    # The complete answer.

    def record(self, event):
        if not isinstance(event, dict) or "detail" not in event:
            raise Refused("Processing failed", "Invalid EventBridge payload: missing 'detail' key")
        self.validate(event["detail"])
        return self.transform(event["detail"])

    def answer(self, body):
        """(status, text) for a single event. For invalid JSON the text ends after "byte ", before the offset."""
        try:
            event = parse(body)
            return 200, write(self.record(event))
        except Refused as refused:
            out = {"error": refused.error, "details": refused.details}
            if refused.errors is not None:
                out["errors"] = refused.errors[:20]
                if len(refused.errors) > 20:
                    out["truncated"] = True
            return 400, write(out)
