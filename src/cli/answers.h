// Members of a server's answer. What is not there, or is something else than was expected, reads as nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::cli {

const boost::json::value& member(const boost::json::value& object, std::string_view name);  // null
std::string text_in(const boost::json::value& object, std::string_view name);  // of a whole number, too
std::int64_t number_in(const boost::json::value& object, std::string_view name);
bool is_true(const boost::json::value& object, std::string_view name);
const boost::json::array& list_in(const boost::json::value& object, std::string_view name);

}  // namespace imprimatur::cli
