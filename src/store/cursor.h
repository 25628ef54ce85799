// Opaque cursors: the key after which a page begins.
#pragma once

#include "base/result.h"
#include "store/registry_rows.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace imprimatur::store {

inline constexpr int kMaxPage = 200;
inline constexpr std::size_t kMaxCursorBytes = 1024;
inline constexpr std::int64_t kNewest = std::numeric_limits<std::int64_t>::max();

std::string cursor_after(std::string_view key);
std::string cursor_after(std::int64_t number);
// Empty for the first page. Also checks the limit.
Result<std::string> text_after(const PageRequest& page);
// `first` for the first page.
Result<std::int64_t> number_after(const PageRequest& page, std::int64_t first);

// Cuts the row that was read too much, and says where the next page begins.
template <class T, class Key>
Page<T> paged(std::vector<T> rows, const PageRequest& request, Key&& key) {
  Page<T> page{std::move(rows), {}};
  if (page.items.size() > static_cast<std::size_t>(request.limit)) {
    page.items.resize(static_cast<std::size_t>(request.limit));
    page.next_cursor = cursor_after(key(page.items.back()));
  }
  return page;
}

}  // namespace imprimatur::store
