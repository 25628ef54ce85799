// Pages of lists that are read whole because a project bounds them.
#pragma once

#include "base/result.h"
#include "store/cursor.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace imprimatur::identity {

// The rows whose `key` stands behind the cursor, in ascending order of `key`, which is unique.
template <class T, class Key>
Result<store::Page<T>> page_of(std::vector<T> all, const store::PageRequest& request, Key&& key) {
  const std::string after = TRY(store::text_after(request));
  std::sort(all.begin(), all.end(), [&](const T& a, const T& b) { return key(a) < key(b); });
  if (!after.empty()) std::erase_if(all, [&](const T& one) { return key(one) <= after; });
  return store::paged(std::move(all), request, key);
}

// The same in descending order.
template <class T, class Key>
Result<store::Page<T>> page_of_newest(std::vector<T> all, const store::PageRequest& request, Key&& key) {
  const std::string before = TRY(store::text_after(request));
  std::sort(all.begin(), all.end(), [&](const T& a, const T& b) { return key(b) < key(a); });
  if (!before.empty()) std::erase_if(all, [&](const T& one) { return key(one) >= before; });
  return store::paged(std::move(all), request, key);
}

}  // namespace imprimatur::identity
