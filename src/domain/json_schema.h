// JSON Schema (2020-12) for business rules: the keywords below and no others, so that a schema never says
// more than is checked. No regular expressions, no references to elsewhere, and a bound on the work, so that
// a schema costs whoever checks it no more than reading it. docs/decisions/policies.md says why not a
// library.
#pragma once

#include "base/result.h"

#include <boost/json/fwd.hpp>

namespace imprimatur {

// type, enum, const; properties, required, additionalProperties, minProperties, maxProperties, propertyNames;
// items, prefixItems, contains, minItems, maxItems, uniqueItems; minLength, maxLength; minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, multipleOf; allOf, anyOf, oneOf, not, if, then, else; $defs and $ref to
// "#" or "#/$defs/<name>"; and what only describes: $schema, $id, $comment, title, description, default,
// examples, deprecated. Anything else is refused, with the JSON pointer to it.
Status check_schema(const boost::json::value& schema);

// Whether `value` obeys `schema`; the error is one sentence with the place in `value`.
// Precondition: check_schema(schema).
Status check_by_schema(const boost::json::value& schema, const boost::json::value& value);

}  // namespace imprimatur
