#include "registry/layering.h"

#include "store/lock_rows.h"

namespace imprimatur::registry {
namespace {

constexpr std::size_t kMaxKnownBytes = 16 * 1024 * 1024;

}  // namespace

LayerSource ProjectLayers::source() {
  const auto candidates =
      [this](const std::string& name) -> Result<std::optional<std::vector<LayerCandidate>>> {
    const auto artifact = store::artifact_by_name(tx_, project_, name);
    if (!artifact) return std::optional<std::vector<LayerCandidate>>();
    return std::optional(store::layer_candidates(tx_, *artifact));
  };
  return {candidates, loader()};
}

LoadVersion ProjectLayers::loader() {
  return [this](const std::string& name, std::int64_t number) { return load(name, number); };
}

Result<std::string> ProjectLayers::load(const std::string& name, std::int64_t number) {
  const std::pair<std::string, std::int64_t> place(name, number);
  const auto known = known_.find(place);
  if (known != known_.end()) return known->second;
  auto content = store::content_named(tx_, project_, name, number);
  if (!content) {
    const std::string why = name + " has no version " + std::to_string(number) + " any more";
    return unprocessable(why, {why});
  }
  if (known_bytes_ > kMaxKnownBytes) known_.clear(), known_bytes_ = 0;
  known_bytes_ += content->size();
  return known_[place] = *std::move(content);
}

Result<Content> ProjectLayers::effective(const Content& content) {
  return effective_content(content, loader());
}

Result<std::string> ProjectLayers::effective(const std::string& canonical) {
  if (!may_include(canonical)) return canonical;
  const Content content = TRY(content_from_canonical(canonical));
  return canonical_content(TRY(effective(content)));
}

}  // namespace imprimatur::registry
