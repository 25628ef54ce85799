#include "domain/layers.h"

#include "base/check.h"
#include "domain/policies.h"
#include "domain/semver.h"
#include "domain/template.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

namespace imprimatur {
namespace {

constexpr const char* kUnlisted =
    "it is not among `layers`; list it with a range, or write \\{{> for plain braces";

std::string joined(const std::vector<std::string>& steps) {
  std::string out;
  for (const std::string& step : steps) out += (out.empty() ? "" : " > ") + step;
  return out;
}

Error refused(const std::vector<std::string>& path, const std::string& why) {
  const std::string says = joined(path) + ": " + why;
  return unprocessable(says, {says});
}

struct JoinedVariable {
  Variable variable;
  std::string path;  // to who declares it
};

// What a policy says, held once however many ways lead to it.
struct HeldRules {
  std::string path;  // the first way
  std::string step;
  std::shared_ptr<const std::string> config;
};

// One version with everything that it includes put in place.
struct Piece {
  Content content;
  std::string step;                // "support/tone@1.2.0"; of the whole its name
  std::vector<std::string> texts;  // its text, or its messages' contents
  std::vector<std::string> holes;  // of a text, in their order
  std::vector<JoinedVariable> variables;
  std::vector<HeldRules> rules;      // of the policies that it reaches, each once
  std::vector<std::string> deepest;  // the steps below it where it is deepest
};
using PiecePtr = std::shared_ptr<const Piece>;

std::string at_place(std::string_view text, std::size_t offset) {
  const Position at = position_of(text, offset);
  return "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": ";
}

std::vector<std::string> names_of(const std::vector<Hole>& holes) {
  std::vector<std::string> out;
  for (const Hole& hole : holes) out.push_back(hole.name);
  return out;
}

// The lock of a version that includes `children`: they, and behind them what they reach.
std::vector<LockEntry> lock_over(std::vector<LockEntry> direct, const std::vector<PiecePtr>& children) {
  const auto before = [](const LockEntry& a, const LockEntry& b) {
    return std::tie(a.name, a.version) < std::tie(b.name, b.version);
  };
  std::set<LockEntry, decltype(before)> reached(before);
  for (const PiecePtr& child : children)
    reached.insert(child->content.lock.begin(), child->content.lock.end());
  for (const LockEntry& entry : direct) reached.erase(entry);
  direct.insert(direct.end(), reached.begin(), reached.end());
  return direct;
}

class Composer {
 public:
  Composer(const LoadVersion& load, const std::string& whole) : load_(load), path_{whole} {}

  Error refuse(const std::string& why) const { return refused(path_, why); }
  Error refuse_below(const std::string& step, const std::string& why) const {
    std::vector<std::string> path = path_;
    path.push_back(step);
    return refused(path, why);
  }

  // The version that a lock names, composed once however often it is reached.
  Result<PiecePtr> piece(const LockEntry& entry) {
    const std::string key = entry.name + "\n" + std::to_string(entry.version) + "\n" + entry.digest;
    const auto known = pieces_.find(key);
    if (known != pieces_.end()) return known->second;
    const std::string canonical = TRY(load_(entry.name, entry.version));
    if (digest_of_canonical(canonical) != entry.digest) {
      return refuse_below(entry.name, "the stored content of version " + std::to_string(entry.version) +
                                          " does not have the digest that the lock names");
    }
    auto content = content_from_canonical(canonical);
    if (!content.ok()) return refuse_below(entry.name, content.error().detail);
    std::string step = content->name + "@" + content->semver;
    if (std::find(names_.begin(), names_.end(), content->name) != names_.end() || content->name == path_[0])
      return refuse_below(step, "it includes itself by this way");
    if (path_.size() > kMaxLayerDepth) return refuse_below(step, too_deep());
    names_.push_back(content->name);
    path_.push_back(step);
    auto built = build(*std::move(content), std::move(step));
    names_.pop_back();
    path_.pop_back();
    if (!built.ok()) return std::move(built).error();
    return pieces_[key] = std::make_shared<const Piece>(*std::move(built));
  }

  // Precondition: path_ ends in the step of `content`.
  Result<Piece> build(Content content, std::string step) {
    Piece out;
    out.step = std::move(step);
    std::vector<PiecePtr> children;
    if (content.lock.size() < content.layers.size()) return refuse("its lock is not that of its layers");
    for (std::size_t i = 0; i < content.layers.size(); ++i) {
      if (content.lock[i].name != content.layers[i].name) return refuse("its lock is not that of its layers");
      children.push_back(TRY(piece(content.lock[i])));
      TRY(go_down(out, *children.back()));
    }
    const auto direct = content.lock.begin() + static_cast<std::ptrdiff_t>(content.layers.size());
    if (lock_over({content.lock.begin(), direct}, children) != content.lock) {
      return refuse("its lock does not hold what its layers lock");
    }
    out.content = std::move(content);
    TRY(place_all(out, children));
    for (const Variable& variable : out.content.variables) out.variables.push_back({variable, out.step});
    std::set<std::string> held;
    for (const PiecePtr& child : children) {
      TRY(join_variables(out, *child));
      for (const HeldRules& rules : child->rules) {
        if (!held.insert(rules.step).second) continue;
        out.rules.push_back({out.step + " > " + rules.path, rules.step, rules.config});
      }
    }
    if (out.content.kind != ArtifactKind::policy) return out;
    bytes_ += out.content.config.size();
    if (bytes_ > kMaxLayerBytes) return over_size();
    out.rules.push_back({out.step, out.step, std::make_shared<const std::string>(out.content.config)});
    return out;
  }

 private:
  static std::string too_deep() {
    return "layers may lie " + std::to_string(kMaxLayerDepth) + " deep, and this lies deeper";
  }

  Status go_down(Piece& out, const Piece& child) const {
    if (path_.size() + child.deepest.size() > kMaxLayerDepth) {
      std::vector<std::string> path = path_;
      path.push_back(child.step);
      path.insert(path.end(), child.deepest.begin(), child.deepest.end());
      return refused(path, too_deep());
    }
    if (out.deepest.size() > child.deepest.size()) return Ok{};
    out.deepest = {child.step};
    out.deepest.insert(out.deepest.end(), child.deepest.begin(), child.deepest.end());
    return Ok{};
  }

  // Every mark gives way to what it names; every prompt that is listed is placed.
  Status place_all(Piece& out, const std::vector<PiecePtr>& children) {
    std::set<const Piece*> placed;
    const Content& content = out.content;
    if (content.kind == ArtifactKind::policy) {
      out.texts.push_back(content.text);
    } else if (content.type == ContentType::text) {
      out.texts.push_back(TRY(place(out, content.text, "content", children, placed)));
    } else {
      for (std::size_t i = 0; i < content.messages.size(); ++i) {
        const Message& message = content.messages[i];
        const std::string field = "messages[" + std::to_string(i) + "].content";
        std::string text = message.content;
        if (message.role != MessageRole::placeholder)
          text = TRY(place(out, message.content, field, children, placed));
        out.texts.push_back(std::move(text));
      }
    }
    std::size_t bytes = 0;
    for (const std::string& text : out.texts) bytes += text.size();
    bytes_ += bytes;
    if (bytes > kMaxTextBytes || bytes_ > kMaxLayerBytes) return over_size();
    for (const PiecePtr& child : children) {
      if (child->content.kind == ArtifactKind::policy || placed.contains(child.get())) continue;
      return refuse_below(child->step, "it is listed and stands nowhere; write {{> " + child->content.name +
                                           "}} where it belongs, or take it out of `layers`");
    }
    return Ok{};
  }

  Result<std::string> place(Piece& out, std::string_view text, const std::string& field,
                            const std::vector<PiecePtr>& children, std::set<const Piece*>& placed) {
    std::vector<Hole> holes = TRY(parse_template(text));
    if (children.empty()) {
      append(out.holes, names_of(holes));
      return std::string(text);
    }
    std::string whole;
    std::vector<std::string> expected;
    std::size_t at = 0;
    auto hole = holes.begin();
    for (const Hole& mark : include_marks(text)) {
      const Piece& child = *TRY(child_at(mark, text, field, children));
      placed.insert(&child);
      for (; hole != holes.end() && hole->begin < mark.begin; ++hole) expected.push_back(hole->name);
      whole.append(text.substr(at, mark.begin - at)).append(child.texts.front());
      append(expected, child.holes);
      at = mark.end;
      if (whole.size() > kMaxTextBytes) return over_size();
    }
    for (; hole != holes.end(); ++hole) expected.push_back(hole->name);
    whole.append(text.substr(at));
    // What a layer begins or ends with must mean what it meant alone.
    const auto found = parse_template(whole);
    if (!found.ok() || names_of(*found) != expected) {
      return refuse(field +
                    ": a brace or a backslash at the edge of a layer joins with those around it; put " +
                    "a blank or a line break between them");
    }
    append(out.holes, expected);
    return whole;
  }

  Result<const Piece*> child_at(const Hole& mark, std::string_view text, const std::string& field,
                                const std::vector<PiecePtr>& children) const {
    const auto place = [&] { return field + ", " + at_place(text, mark.begin); };
    const auto child = std::find_if(children.begin(), children.end(),
                                    [&](const PiecePtr& each) { return each->content.name == mark.name; });
    if (child == children.end()) {
      return refuse_below(mark.name, place() + kUnlisted);
    }
    if ((*child)->content.kind == ArtifactKind::policy) {
      return refuse_below((*child)->step,
                          place() + "a policy has no place in a text; it is enough to list it");
    }
    if ((*child)->content.type != ContentType::text) {
      return refuse_below((*child)->step, place() + "a chat cannot stand in a text; only a text prompt can");
    }
    return child->get();
  }

  // What is further out goes first. A variable that anything requires is required, but where something
  // further out gives a default.
  Status join_variables(Piece& out, const Piece& child) const {
    for (const JoinedVariable& theirs : child.variables) {
      const std::string path = out.step + " > " + theirs.path;
      const auto ours = std::find_if(
          out.variables.begin(), out.variables.end(),
          [&](const JoinedVariable& each) { return each.variable.name == theirs.variable.name; });
      if (ours == out.variables.end()) {
        out.variables.push_back({theirs.variable, path});
        continue;
      }
      Variable& mine = ours->variable;
      if (mine.type != theirs.variable.type) {
        return refuse("the variable \"" + mine.name + "\" is of type " + std::string(name_of(mine.type)) +
                      " in " + ours->path + " and of type " + std::string(name_of(theirs.variable.type)) +
                      " in " + path);
      }
      if (mine.default_json.empty()) {
        mine.required = mine.required || theirs.variable.required;
        if (!mine.required) mine.default_json = theirs.variable.default_json;
      }
      if (mine.description.empty()) mine.description = theirs.variable.description;
    }
    if (out.variables.size() <= kMaxVariables) return Ok{};
    return refuse("with those of its layers it has more than " + std::to_string(kMaxVariables) +
                  " variables");
  }

  Error over_size() const {
    return too_large(joined(path_) + ": with its layers in place it is over " +
                     std::to_string(kMaxTextBytes) + " bytes of text, or all that it includes over " +
                     std::to_string(kMaxLayerBytes));
  }

  static void append(std::vector<std::string>& out, const std::vector<std::string>& more) {
    out.insert(out.end(), more.begin(), more.end());
  }

  const LoadVersion& load_;
  std::vector<std::string> path_;           // steps to what is composed now
  std::vector<std::string> names_;          // of those behind the first
  std::map<std::string, PiecePtr> pieces_;  // by what a lock says of them
  std::size_t bytes_ = 0;
};

Result<Content> effective_of(const Piece& whole, const Composer& composer) {
  Content out = whole.content;
  if (out.layers.empty()) return out;
  if (out.type == ContentType::text) {
    out.text = whole.texts.front();
  } else {
    for (std::size_t i = 0; i < out.messages.size(); ++i) out.messages[i].content = whole.texts[i];
  }
  out.variables.clear();
  for (const JoinedVariable& each : whole.variables) out.variables.push_back(each.variable);
  if (whole.rules.empty()) return out;
  std::vector<Rules> rules;
  if (!out.config.empty()) rules.push_back({whole.step, out.config});
  for (const HeldRules& each : whole.rules) rules.push_back({each.path, *each.config});
  auto merged = merged_rules(rules);
  if (!merged.ok()) return composer.refuse(merged.error().detail);
  if (merged->size() > kMaxJsonFieldBytes) {
    return too_large(whole.step + ": with the rules of its policies its config is over " +
                     std::to_string(kMaxJsonFieldBytes) + " bytes");
  }
  out.config = *std::move(merged);
  return out;
}

Result<LockEntry> picked(const LayerRef& layer, const LayerSource& source, const Composer& composer) {
  const auto candidates = TRY(source.candidates(layer.name));
  if (!candidates) return composer.refuse_below(layer.name, "there is no prompt or policy of that name here");
  const SemverRange range = TRY(SemverRange::parse(layer.range));
  std::optional<Semver> best, newest;
  std::int64_t number = 0;
  for (const LayerCandidate& candidate : *candidates) {
    const auto semver = parse_semver(candidate.semver);
    if (!semver.ok()) continue;
    if (!newest || compare(*semver, *newest) > 0) newest = *semver;
    if (!range.contains(*semver) || (best && compare(*semver, *best) <= 0)) continue;
    best = *semver;
    number = candidate.number;
  }
  if (!best) {
    return composer.refuse_below(layer.name, "no version of it fits " + layer.range +
                                                 (newest ? "; the newest is " + to_text(*newest)
                                                         : "; none is there that was not retired"));
  }
  const std::string canonical = TRY(source.load(layer.name, number));
  return LockEntry{layer.name, number, digest_of_canonical(canonical)};
}

// Where nothing is included, a mark is what Handlebars prompts hold. One that names something of this project
// was meant for it, and forgotten in `layers`. Only so many names are looked up.
class Forgotten {
 public:
  Forgotten(const LayerSource& source, const Composer& composer) : source_(source), composer_(composer) {}

  Status require_none(std::string_view text, const std::string& field) {
    for (const Hole& mark : include_marks(text)) {
      if (names_.size() == kMaxNames) return Ok{};
      if (!names_.insert(mark.name).second) continue;
      const auto named = TRY(source_.candidates(mark.name));
      if (named)
        return composer_.refuse_below(mark.name, field + ", " + at_place(text, mark.begin) + kUnlisted);
    }
    return Ok{};
  }
  Status require_none(const Content& content) {
    if (content.kind == ArtifactKind::policy) return Ok{};
    if (content.type == ContentType::text) return require_none(content.text, "content");
    for (std::size_t i = 0; i < content.messages.size(); ++i) {
      const Message& message = content.messages[i];
      if (message.role == MessageRole::placeholder) continue;
      TRY(require_none(message.content, "messages[" + std::to_string(i) + "].content"));
    }
    return Ok{};
  }

 private:
  static constexpr std::size_t kMaxNames = 1000;
  const LayerSource& source_;
  const Composer& composer_;
  std::set<std::string> names_;
};

}  // namespace

Result<Resolved> resolve(Content content, const LayerSource& source) {
  content.lock.clear();
  Composer composer(source.load, content.name);
  if (content.layers.empty()) {
    TRY(Forgotten(source, composer).require_none(content));
    Content same = content;
    return Resolved{std::move(content), std::move(same)};
  }
  std::vector<PiecePtr> children;
  for (const LayerRef& layer : content.layers) {
    content.lock.push_back(TRY(picked(layer, source, composer)));
    children.push_back(TRY(composer.piece(content.lock.back())));
  }
  content.lock = lock_over(std::move(content.lock), children);
  if (content.lock.size() > kMaxLocked) {
    return too_large(content.name + ": with its layers it includes more than " + std::to_string(kMaxLocked) +
                     " versions");
  }
  const std::string step = content.name;
  const Piece whole = TRY(composer.build(std::move(content), step));
  Content effective = TRY(effective_of(whole, composer));
  return Resolved{whole.content, std::move(effective)};
}

Result<Content> effective_content(const Content& content, const LoadVersion& load) {
  if (content.layers.empty() && content.lock.empty()) return content;
  Composer composer(load, content.name);
  const Piece whole = TRY(composer.build(content, content.name));
  return effective_of(whole, composer);
}

bool may_include(std::string_view canonical) {
  // A member of that name in a config looks the same; an empty list does not.
  return canonical.find("\"lock\":[{") != std::string_view::npos;
}

}  // namespace imprimatur
