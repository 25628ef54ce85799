// Members of an event's details as a row's text holds them. What is not there in its type is an error: the
// event cannot be one of this program's.
#pragma once

#include "base/result.h"
#include "journal/rows.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::journal {

// "" for null; a list as journal::joined writes it.
Result<std::string> member(const boost::json::object& object, std::string_view name);
Result<std::int64_t> number(const boost::json::object& object, std::string_view name);
Result<const boost::json::array*> array(const boost::json::object& object, std::string_view name);
Result<const boost::json::object*> as_object(const boost::json::value& value);

}  // namespace imprimatur::journal
