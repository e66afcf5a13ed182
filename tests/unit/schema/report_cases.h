/*
 * report_cases.h - schemas, instances, and what jsonschema 4.26 says of them: the message that its
 * best_match() picks, and every error in order, each as "instance-location keyword-location text".
 */
#pragma once

static const struct {
    const char *name;
    const char *schema;
    const char *instance;
    const char *best;
    const char *units;
} report_cases[] = {
    { "type", "{\"type\":\"string\"}", "1", "1 is not of type 'string'",
      " /type 1 is not of type 'string'\n" },
    { "types", "{\"type\":[\"string\",\"null\"]}", "[1,\"a\"]",
      "[1, 'a'] is not of type 'string', 'null'",
      " /type [1, 'a'] is not of type 'string', 'null'\n" },
    { "each type in one schema",
      "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"number\"},\"c\":{\"type\":"
      "\"boolean\"},\"d\":{\"type\":\"null\"},\"e\":{\"type\":\"array\"},\"f\":{\"type\":"
      "\"object\"},\"g\":{\"type\":\"string\"}}}",
      "{\"a\":1.5,\"b\":\"x\",\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1}",
      "1 is not of type 'string'",
      "/a /properties/a/type 1.5 is not of type 'integer'\n"
      "/b /properties/b/type 'x' is not of type 'number'\n"
      "/c /properties/c/type 1 is not of type 'boolean'\n"
      "/d /properties/d/type 1 is not of type 'null'\n"
      "/e /properties/e/type 1 is not of type 'array'\n"
      "/f /properties/f/type 1 is not of type 'object'\n"
      "/g /properties/g/type 1 is not of type 'string'\n" },
    { "enum", "{\"enum\":[\"a\",1,null,true]}", "{\"k\":1.0}",
      "{'k': 1.0} is not one of ['a', 1, None, True]",
      " /enum {'k': 1.0} is not one of ['a', 1, None, True]\n" },
    { "const", "{\"const\":{\"a\":[1,\"b\"]}}", "1", "{'a': [1, 'b']} was expected",
      " /const {'a': [1, 'b']} was expected\n" },
    { "limits", "{\"minimum\":5,\"exclusiveMinimum\":2}", "1", "1 is less than the minimum of 5",
      " /minimum 1 is less than the minimum of 5\n"
      " /exclusiveMinimum 1 is less than or equal to the minimum of 2\n" },
    { "limits above", "{\"maximum\":1.5,\"exclusiveMaximum\":2}", "2",
      "2 is greater than the maximum of 1.5",
      " /maximum 2 is greater than the maximum of 1.5\n"
      " /exclusiveMaximum 2 is greater than or equal to the maximum of 2\n" },
    { "draft 4 limits",
      "{\"$schema\":\"http://json-schema.org/draft-04/"
      "schema#\",\"minimum\":5,\"exclusiveMinimum\":true,\"maximum\":1,\"exclusiveMaximum\":false}",
      "5", "5 is less than or equal to the minimum of 5",
      " /minimum 5 is less than or equal to the minimum of 5\n"
      " /maximum 5 is greater than the maximum of 1\n" },
    { "multipleOf", "{\"multipleOf\":2}", "1e2", "", "" },
    { "not a multiple", "{\"multipleOf\":0.01}", "4.35", "4.35 is not a multiple of 0.01",
      " /multipleOf 4.35 is not a multiple of 0.01\n" },
    { "too short", "{\"minLength\":3,\"maxLength\":0}", "\"ab\"", "'ab' is too short",
      " /minLength 'ab' is too short\n"
      " /maxLength 'ab' is expected to be empty\n" },
    { "non-empty", "{\"minLength\":1}", "\"\"", "'' should be non-empty",
      " /minLength '' should be non-empty\n" },
    { "too long", "{\"maxLength\":1}", "\"it's\"", "\"it's\" is too long",
      " /maxLength \"it's\" is too long\n" },
    { "pattern", "{\"pattern\":\"^\\\\d\"}", "\"x\\\"y'z\"", "'x\"y\\'z' does not match '^\\\\d'",
      " /pattern 'x\"y\\'z' does not match '^\\\\d'\n" },
    { "items", "{\"minItems\":2,\"maxItems\":0}", "[1]", "[1] is too short",
      " /minItems [1] is too short\n"
      " /maxItems [1] is expected to be empty\n" },
    { "items non-empty", "{\"minItems\":1}", "[]", "[] should be non-empty",
      " /minItems [] should be non-empty\n" },
    { "too many items", "{\"maxItems\":1,\"uniqueItems\":true}", "[1,1]", "[1, 1] is too long",
      " /maxItems [1, 1] is too long\n"
      " /uniqueItems [1, 1] has non-unique elements\n" },
    { "few properties", "{\"minProperties\":3,\"maxProperties\":1}", "{\"a\":1,\"b\":2}",
      "{'a': 1, 'b': 2} does not have enough properties",
      " /minProperties {'a': 1, 'b': 2} does not have enough properties\n"
      " /maxProperties {'a': 1, 'b': 2} has too many properties\n" },
    { "properties empty", "{\"minProperties\":1}", "{}", "{} should be non-empty",
      " /minProperties {} should be non-empty\n" },
    { "no properties", "{\"maxProperties\":0}", "{\"a\":1}", "{'a': 1} is expected to be empty",
      " /maxProperties {'a': 1} is expected to be empty\n" },
    { "required", "{\"required\":[\"a\",\"it's\"]}", "{}", "'a' is a required property",
      " /required 'a' is a required property\n"
      " /required \"it's\" is a required property\n" },
    { "properties in schema order",
      "{\"properties\":{\"b\":{\"type\":\"string\"},\"a\":{\"type\":\"string\"}}}",
      "{\"a\":1,\"b\":2}", "2 is not of type 'string'",
      "/b /properties/b/type 2 is not of type 'string'\n"
      "/a /properties/a/type 1 is not of type 'string'\n" },
    { "additional", "{\"properties\":{\"a\":true},\"additionalProperties\":false}",
      "{\"c\":1,\"a\":1,\"b\":1}",
      "Additional properties are not allowed ('b', 'c' were unexpected)",
      " /additionalProperties Additional properties are not allowed ('b', 'c' were unexpected)\n" },
    { "one additional", "{\"additionalProperties\":false}", "{\"c\":1}",
      "Additional properties are not allowed ('c' was unexpected)",
      " /additionalProperties Additional properties are not allowed ('c' was unexpected)\n" },
    { "additional beside patterns",
      "{\"patternProperties\":{\"^x\":true,\"^a\":true},\"additionalProperties\":false}",
      "{\"q\":1,\"b\":1}", "'b', 'q' do not match any of the regexes: '^a', '^x'",
      " /additionalProperties 'b', 'q' do not match any of the regexes: '^a', '^x'\n" },
    { "one beside patterns", "{\"patternProperties\":{\"^x\":true},\"additionalProperties\":false}",
      "{\"q\":1}", "'q' does not match any of the regexes: '^x'",
      " /additionalProperties 'q' does not match any of the regexes: '^x'\n" },
    { "additional with a schema", "{\"additionalProperties\":{\"type\":\"string\"}}", "{\"q\":1}",
      "1 is not of type 'string'", "/q /additionalProperties/type 1 is not of type 'string'\n" },
    { "patternProperties", "{\"patternProperties\":{\"a/b\":{\"type\":\"string\"}}}",
      "{\"xa/b\":1}", "1 is not of type 'string'",
      "/xa~1b /patternProperties/a~1b/type 1 is not of type 'string'\n" },
    { "propertyNames", "{\"propertyNames\":{\"maxLength\":1}}", "{\"ab\":1}", "'ab' is too long",
      " /propertyNames/maxLength 'ab' is too long\n" },
    { "dependencies",
      "{\"$schema\":\"http://json-schema.org/draft-07/"
      "schema#\",\"dependencies\":{\"a\":[\"b\",\"c\"],\"d\":{\"required\":[\"e\"]}}}",
      "{\"a\":1,\"d\":1}", "'b' is a dependency of 'a'",
      " /dependencies 'b' is a dependency of 'a'\n"
      " /dependencies 'c' is a dependency of 'a'\n"
      " /dependencies/d/required 'e' is a required property\n" },
    { "dependentRequired",
      "{\"dependentRequired\":{\"a\":[\"b\"]},\"dependentSchemas\":{\"a\":{\"required\":[\"c\"]}}}",
      "{\"a\":1}", "'b' is a dependency of 'a'",
      " /dependentRequired 'b' is a dependency of 'a'\n"
      " /dependentSchemas/a/required 'c' is a required property\n" },
    { "prefixItems", "{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"null\"}}",
      "[1,2]", "2 is not of type 'null'",
      "/0 /prefixItems/0/type 1 is not of type 'string'\n"
      "/1 /items/type 2 is not of type 'null'\n" },
    { "items false", "{\"prefixItems\":[true],\"items\":false}", "[1,2,3]",
      "Expected at most 1 item but found 2 extra: [2, 3]",
      " /items Expected at most 1 item but found 2 extra: [2, 3]\n" },
    { "items false, one", "{\"prefixItems\":[true,true],\"items\":false}", "[1,2,\"x\"]",
      "Expected at most 2 items but found 1 extra: 'x'",
      " /items Expected at most 2 items but found 1 extra: 'x'\n" },
    { "items false, all", "{\"items\":false}", "[1,2]",
      "Expected at most 0 items but found 2 extra: [1, 2]",
      " /items Expected at most 0 items but found 2 extra: [1, 2]\n" },
    { "additionalItems",
      "{\"$schema\":\"http://json-schema.org/draft-04/"
      "schema#\",\"items\":[{}],\"additionalItems\":false}",
      "[1,2,\"a\"]", "Additional items are not allowed (2, 'a' were unexpected)",
      " /additionalItems Additional items are not allowed (2, 'a' were unexpected)\n" },
    { "one additional item",
      "{\"$schema\":\"http://json-schema.org/draft-07/"
      "schema#\",\"items\":[{}],\"additionalItems\":false}",
      "[1,2]", "Additional items are not allowed (2 was unexpected)",
      " /additionalItems Additional items are not allowed (2 was unexpected)\n" },
    { "items false in draft 7",
      "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"items\":false}", "[1]",
      "False schema does not allow 1", "/0 /items False schema does not allow 1\n" },
    { "contains", "{\"contains\":{\"type\":\"string\"}}", "[1]",
      "[1] does not contain items matching the given schema",
      " /contains [1] does not contain items matching the given schema\n" },
    { "contains in draft 6",
      "{\"$schema\":\"http://json-schema.org/draft-06/"
      "schema#\",\"contains\":{\"type\":\"string\"}}",
      "[1]", "None of [1] are valid under the given schema",
      " /contains None of [1] are valid under the given schema\n" },
    { "few", "{\"contains\":{\"type\":\"string\"},\"minContains\":2}", "[\"a\",1]",
      "Too few items match the given schema (expected at least 2 but only 1 matched)",
      " /minContains Too few items match the given schema (expected at least 2 but only 1 "
      "matched)\n" },
    { "many", "{\"contains\":{\"type\":\"string\"},\"maxContains\":1}", "[\"a\",\"b\",\"c\"]",
      "Too many items match the given schema (expected at most 1)",
      " /maxContains Too many items match the given schema (expected at most 1)\n" },
    { "false", "false", "1", "False schema does not allow 1", "  False schema does not allow 1\n" },
    { "not", "{\"not\":{\"type\":[\"integer\",\"null\"]}}", "1",
      "1 should not be valid under {'type': ['integer', 'null']}",
      " /not 1 should not be valid under {'type': ['integer', 'null']}\n" },
    { "allOf", "{\"allOf\":[{\"minimum\":5},{\"maximum\":0}]}", "3",
      "3 is less than the minimum of 5",
      " /allOf/0/minimum 3 is less than the minimum of 5\n"
      " /allOf/1/maximum 3 is greater than the maximum of 0\n" },
    { "anyOf", "{\"anyOf\":[{\"type\":\"string\"},{\"minimum\":5}]}", "1",
      "1 is not valid under any of the given schemas",
      " /anyOf 1 is not valid under any of the given schemas\n"
      " /anyOf/0/type 1 is not of type 'string'\n"
      " /anyOf/1/minimum 1 is less than the minimum of 5\n" },
    { "anyOf goes to the one of its type",
      "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\",\"minimum\":5}]}", "1",
      "1 is less than the minimum of 5",
      " /anyOf 1 is not valid under any of the given schemas\n"
      " /anyOf/0/type 1 is not of type 'string'\n"
      " /anyOf/1/minimum 1 is less than the minimum of 5\n" },
    { "anyOf goes deeper",
      "{\"anyOf\":[{\"type\":\"string\"},{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":"
      "\"null\"}}}}}]}",
      "{\"a\":{\"b\":1}}", "1 is not of type 'null'",
      " /anyOf {'a': {'b': 1}} is not valid under any of the given schemas\n"
      " /anyOf/0/type {'a': {'b': 1}} is not of type 'string'\n"
      "/a/b /anyOf/1/properties/a/properties/b/type 1 is not of type 'null'\n" },
    { "oneOf, none",
      "{\"oneOf\":[{\"type\":\"string\"},{\"properties\":{\"a\":{\"type\":\"string\"}}}]}",
      "{\"a\":1}", "1 is not of type 'string'",
      " /oneOf {'a': 1} is not valid under any of the given schemas\n"
      " /oneOf/0/type {'a': 1} is not of type 'string'\n"
      "/a /oneOf/1/properties/a/type 1 is not of type 'string'\n" },
    { "oneOf, several",
      "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"},{\"minimum\":1},{\"maximum\":9}]}",
      "5", "5 is valid under each of {'minimum': 1}, {'maximum': 9}, {'type': 'integer'}",
      " /oneOf 5 is valid under each of {'minimum': 1}, {'maximum': 9}, {'type': 'integer'}\n" },
    { "passing branches leave no errors",
      "{\"anyOf\":[{\"type\":\"string\"},true],\"oneOf\":[{\"type\":\"string\"},{\"type\":"
      "\"integer\"}],\"maximum\":0}",
      "1", "1 is greater than the maximum of 0", " /maximum 1 is greater than the maximum of 0\n" },
    { "if then", "{\"if\":{\"type\":\"integer\"},\"then\":{\"minimum\":5},\"else\":false}", "1",
      "1 is less than the minimum of 5", " /then/minimum 1 is less than the minimum of 5\n" },
    { "if else", "{\"if\":{\"type\":\"integer\"},\"then\":{\"minimum\":5},\"else\":false}", "\"x\"",
      "False schema does not allow 'x'", " /else False schema does not allow 'x'\n" },
    { "$ref",
      "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/s\"}},\"$defs\":{\"s\":{\"$ref\":\"#/$defs/"
      "t\"},\"t\":{\"type\":\"string\"}}}",
      "{\"a\":1}", "1 is not of type 'string'",
      "/a /properties/a/$ref/$ref/type 1 is not of type 'string'\n" },
    { "$ref hides in draft 7",
      "{\"$schema\":\"http://json-schema.org/draft-07/"
      "schema#\",\"properties\":{\"a\":{\"$ref\":\"#/definitions/"
      "s\",\"type\":\"null\"}},\"definitions\":{\"s\":{\"type\":\"string\"}}}",
      "{\"a\":1}", "1 is not of type 'string'",
      "/a /properties/a/$ref/type 1 is not of type 'string'\n" },
    { "$dynamicRef",
      "{\"$id\":\"http://example.com/"
      "x\",\"items\":{\"$dynamicRef\":\"#i\"},\"$defs\":{\"i\":{\"$dynamicAnchor\":\"i\",\"type\":"
      "\"string\"}}}",
      "[1]", "1 is not of type 'string'",
      "/0 /items/$dynamicRef/type 1 is not of type 'string'\n" },
    { "unevaluated items", "{\"prefixItems\":[true],\"unevaluatedItems\":false}", "[1,2,\"a\"]",
      "Unevaluated items are not allowed (2, 'a' were unexpected)",
      " /unevaluatedItems Unevaluated items are not allowed (2, 'a' were unexpected)\n" },
    { "evaluated by a node that refuses the kind",
      "{\"unevaluatedProperties\":false,\"type\":\"string\",\"properties\":{\"a\":true}}",
      "{\"a\":1}", "{'a': 1} is not of type 'string'",
      " /type {'a': 1} is not of type 'string'\n" },
    { "items evaluated by a node that refuses the kind",
      "{\"unevaluatedItems\":false,\"const\":1,\"items\":true}", "[1]", "1 was expected",
      " /const 1 was expected\n" },
    { "one unevaluated item", "{\"unevaluatedItems\":false}", "[1]",
      "Unevaluated items are not allowed (1 was unexpected)",
      " /unevaluatedItems Unevaluated items are not allowed (1 was unexpected)\n" },
    { "unevaluated properties",
      "{\"properties\":{\"a\":{\"type\":\"null\"}},\"unevaluatedProperties\":false}",
      "{\"c\":1,\"a\":1,\"b\":2}",
      "Unevaluated properties are not allowed ('b', 'c' were unexpected)",
      "/a /properties/a/type 1 is not of type 'null'\n"
      " /unevaluatedProperties Unevaluated properties are not allowed ('b', 'c' were "
      "unexpected)\n" },
    { "unevaluated and invalid", "{\"unevaluatedProperties\":{\"type\":\"null\"}}",
      "{\"c\":1,\"b\":null,\"a\":2}",
      "Unevaluated properties are not valid under the given schema ('c', 'a' were unevaluated and "
      "invalid)",
      " /unevaluatedProperties Unevaluated properties are not valid under the given schema ('c', "
      "'a' were unevaluated and invalid)\n" },
    { "one unevaluated and invalid", "{\"unevaluatedProperties\":{\"type\":\"null\"}}", "{\"c\":1}",
      "Unevaluated properties are not valid under the given schema ('c' was unevaluated and "
      "invalid)",
      " /unevaluatedProperties Unevaluated properties are not valid under the given schema ('c' "
      "was unevaluated and invalid)\n" },
    { "best: a later sibling",
      "{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}}",
      "{\"a\":1,\"b\":2}", "2 is not of type 'string'",
      "/a /properties/a/type 1 is not of type 'string'\n"
      "/b /properties/b/type 2 is not of type 'string'\n" },
    { "best: greater index", "{\"items\":{\"type\":\"string\"}}", "[1,2,3,4,5,6,7,8,9,10,11]",
      "11 is not of type 'string'",
      "/0 /items/type 1 is not of type 'string'\n"
      "/1 /items/type 2 is not of type 'string'\n"
      "/2 /items/type 3 is not of type 'string'\n"
      "/3 /items/type 4 is not of type 'string'\n"
      "/4 /items/type 5 is not of type 'string'\n"
      "/5 /items/type 6 is not of type 'string'\n"
      "/6 /items/type 7 is not of type 'string'\n"
      "/7 /items/type 8 is not of type 'string'\n"
      "/8 /items/type 9 is not of type 'string'\n"
      "/9 /items/type 10 is not of type 'string'\n"
      "/10 /items/type 11 is not of type 'string'\n" },
    { "best: characters, not letters", "{\"additionalProperties\":{\"type\":\"string\"}}",
      "{\"z\":1,\"\\u00e9\":2}", "2 is not of type 'string'",
      "/z /additionalProperties/type 1 is not of type 'string'\n"
      "/é /additionalProperties/type 2 is not of type 'string'\n" },
    { "best: the shallow one",
      "{\"properties\":{\"a\":{\"properties\":{\"b\":{\"type\":\"string\"}}},\"c\":{\"minimum\":5}}"
      "}",
      "{\"a\":{\"b\":1},\"c\":1}", "1 is less than the minimum of 5",
      "/a/b /properties/a/properties/b/type 1 is not of type 'string'\n"
      "/c /properties/c/minimum 1 is less than the minimum of 5\n" },
    { "best: not anyOf", "{\"anyOf\":[{\"type\":\"null\"}],\"minimum\":5}", "1",
      "1 is less than the minimum of 5",
      " /anyOf 1 is not valid under any of the given schemas\n"
      " /anyOf/0/type 1 is not of type 'null'\n"
      " /minimum 1 is less than the minimum of 5\n" },
    { "best: of another type", "{\"allOf\":[{\"type\":\"integer\",\"minimum\":5},{\"maximum\":0}]}",
      "1", "1 is greater than the maximum of 0",
      " /allOf/0/minimum 1 is less than the minimum of 5\n"
      " /allOf/1/maximum 1 is greater than the maximum of 0\n" },
    { "best: a false schema lacks its step",
      "{\"properties\":{\"a\":false,\"b\":{\"type\":\"string\"}}}", "{\"a\":1,\"b\":2}",
      "False schema does not allow 1",
      "/a /properties/a False schema does not allow 1\n"
      "/b /properties/b/type 2 is not of type 'string'\n" },
    { "best: first come", "{\"minimum\":5,\"multipleOf\":2}", "1",
      "1 is less than the minimum of 5",
      " /minimum 1 is less than the minimum of 5\n"
      " /multipleOf 1 is not a multiple of 2\n" },
    { "best: ties stop the descent", "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"string\"}]}", "1",
      "1 is not valid under any of the given schemas",
      " /anyOf 1 is not valid under any of the given schemas\n"
      " /anyOf/0/type 1 is not of type 'null'\n"
      " /anyOf/1/type 1 is not of type 'string'\n" },
    { "best: nested anyOf",
      "{\"anyOf\":[{\"type\":\"null\"},{\"anyOf\":[{\"type\":\"string\"},{\"items\":{\"type\":"
      "\"string\"}}]}]}",
      "[1]", "1 is not of type 'string'",
      " /anyOf [1] is not valid under any of the given schemas\n"
      " /anyOf/0/type [1] is not of type 'null'\n"
      " /anyOf/1/anyOf [1] is not valid under any of the given schemas\n"
      " /anyOf/1/anyOf/0/type [1] is not of type 'string'\n"
      "/0 /anyOf/1/anyOf/1/items/type 1 is not of type 'string'\n" },
    { "path tokens",
      "{\"properties\":{\"a/b\":{\"items\":{\"properties\":{\"m~n\":{\"type\":\"null\"}}}}}}",
      "{\"a/b\":[{\"m~n\":1}]}", "1 is not of type 'null'",
      "/a~1b/0/m~0n /properties/a~1b/items/properties/m~0n/type 1 is not of type 'null'\n" },
    { "numbers as Python has them",
      "{\"enum\":[1e2,1e400,123456789012345678901234567890,-0.0,1e-7]}", "0.1",
      "0.1 is not one of [100.0, inf, 123456789012345678901234567890, -0.0, 1e-07]",
      " /enum 0.1 is not one of [100.0, inf, 123456789012345678901234567890, -0.0, 1e-07]\n" },
    { "texts as Python has them", "{\"enum\":[\"\\u00e9\\n\\u2028\\ud83d\\ude00\"]}",
      "\"\\u0000\\u007f\"", "'\\x00\\x7f' is not one of ['é\\n\\u2028😀']",
      " /enum '\\x00\\x7f' is not one of ['é\\n\\u2028😀']\n" },
};
