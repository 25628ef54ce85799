#include "domain/records.h"

#include <array>

namespace imprimatur {
namespace {

template <class T, std::size_t N>
std::optional<T> named(const std::array<T, N>& all, std::string_view name) {
  for (const T value : all) {
    if (name_of(value) == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(ReviewState state) {
  switch (state) {
    case ReviewState::open: return "open";
    case ReviewState::approved: return "approved";
    case ReviewState::rejected: return "rejected";
    case ReviewState::withdrawn: return "withdrawn";
    case ReviewState::deployed: return "deployed";
  }
  CHECK(false, "no such review state");
}

std::optional<ReviewState> review_state_of(std::string_view name) {
  return named(std::array{ReviewState::open, ReviewState::approved, ReviewState::rejected,
                          ReviewState::withdrawn, ReviewState::deployed},
               name);
}

std::string_view name_of(ReleaseKind kind) {
  switch (kind) {
    case ReleaseKind::deploy: return "deploy";
    case ReleaseKind::roll_back: return "roll_back";
  }
  CHECK(false, "no such kind of release");
}

std::optional<ReleaseKind> release_kind_of(std::string_view name) {
  return named(std::array{ReleaseKind::deploy, ReleaseKind::roll_back}, name);
}

std::string_view name_of(ReleaseEnd end) {
  switch (end) {
    case ReleaseEnd::live: return "live";
    case ReleaseEnd::superseded: return "superseded";
    case ReleaseEnd::rolled_back: return "rolled_back";
    case ReleaseEnd::retired: return "retired";
  }
  CHECK(false, "no such end of a release");
}

std::optional<ReleaseEnd> release_end_of(std::string_view name) {
  return named(
      std::array{ReleaseEnd::live, ReleaseEnd::superseded, ReleaseEnd::rolled_back, ReleaseEnd::retired},
      name);
}

}  // namespace imprimatur
