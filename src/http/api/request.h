// What every handler of the API begins with: who asks, for which page, and under which idempotency key.
#pragma once

#include "base/result.h"
#include "http/api/fields.h"
#include "http/message.h"
#include "identity/identity.h"
#include "store/command.h"
#include "store/registry_rows.h"

#include <functional>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::http {

inline constexpr std::string_view kSessionCookie = "imprimatur_session";
inline constexpr std::string_view kCsrfHeader = "X-CSRF-Token";
inline constexpr std::string_view kIdempotencyHeader = "Idempotency-Key";
inline constexpr std::size_t kMaxIdempotencyKeyBytes = 255;
inline constexpr std::size_t kMaxCredentialBytes = 512;

// Who the request's credential stands for: Authorization before the cookie, never both. A cookie needs the
// CSRF token for everything but GET and HEAD.
Result<Principal> caller(const Request& request, identity::Identity& identity);
// The same for a write, with what makes its repetition recognisable.
Result<store::Command> command(const Request& request, identity::Identity& identity);

// For routes without a query: names what stands there all the same.
Status no_query(const Request& request);
// The body of a creation that takes a name and nothing else.
Result<std::string> only_name(const Request& request);
// `limit` and `cursor`.
store::PageRequest page(Query& query);

// The value of one cookie, or empty.
std::string cookie_value(const Request& request, std::string_view name);

// Answers. Members come out sorted and numbers in their shortest form (canonical JSON). Unavailable when a
// stored number is one that this form cannot hold.
Result<Response> answer(const boost::json::value& value, int status = 200);
// A list of `count` items, of which `item` gives each.
Result<Response> answer_list(std::size_t count, const std::function<boost::json::object(std::size_t)>& item,
                             std::string_view next_cursor);
template <class View, class Show>
Result<Response> answer_page(const store::Page<View>& found, Show&& show) {
  return answer_list(
      found.items.size(), [&](std::size_t i) { return show(found.items[i]); }, found.next_cursor);
}
// A list without filters, from who asks to the answer: `find` takes them and the page they want.
template <class Find, class Show>
Result<Response> answer_page(const Request& request, identity::Identity& identity, Find&& find, Show&& show) {
  const Principal who = TRY(caller(request, identity));
  Query query(request);
  const store::PageRequest at = page(query);
  TRY(query.done());
  return answer_page(TRY(find(who, at)), show);
}
boost::json::value text_or_null(std::string_view text);  // empty: null
boost::json::value time_or_null(const std::optional<Time>& time);

}  // namespace imprimatur::http
