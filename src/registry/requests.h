// What the registry is asked for, and how much of it at once.
#pragma once

#include "base/clock.h"
#include "domain/content.h"
#include "domain/ids.h"
#include "domain/verdict.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::registry {

inline constexpr std::size_t kMaxTags = 50;
inline constexpr std::size_t kMaxTagBytes = 64;
inline constexpr std::size_t kMaxMessageBytes = 2000;  // of a save, and reasons
inline constexpr std::size_t kMaxCommentBytes = 10'000;
inline constexpr Duration kProposalLives = hours(24);
inline constexpr std::size_t kMaxBatch = 500;
inline constexpr std::size_t kMaxItems = 100;  // of a change set
inline constexpr std::size_t kMaxLabels = 100;
inline constexpr std::size_t kMaxUrlBytes = 2000;
inline constexpr std::int64_t kMaxReports = 500;     // of checks, about one version
inline constexpr std::size_t kMaxAcceptances = 200;  // of findings in one version
inline constexpr Duration kLongestAcceptance = days(366);

// The content fields of a request; what is left out is inherited from the version before.
struct ContentPatch {
  std::optional<std::string> text;
  std::optional<std::vector<Message>> messages;
  std::optional<std::vector<Variable>> variables;
  std::optional<std::optional<ModelBinding>> model;
  std::optional<std::string> config, tools, output_schema;  // canonical JSON, empty for null
  std::optional<std::vector<LayerRef>> layers;
  std::optional<std::string> semver;
};

struct NewArtifact {
  std::string name;
  ArtifactKind kind = ArtifactKind::prompt;
  ContentType type = ContentType::text;
  ContentPatch content;
  std::vector<std::string> tags;  // importing a new version with none keeps those that are there
  std::string message;
};

struct NewVersion {
  ContentPatch content;
  std::optional<std::int64_t> base_version;  // a conflict when it is not the latest
  std::optional<std::vector<std::string>> tags;
  std::string message;
};

enum class OnConflict { skip, new_version, fail };

struct ImportOutcome {
  enum class Status { created, new_version, unchanged, skipped };
  Status status = Status::skipped;
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string reason;
};
std::string_view name_of(ImportOutcome::Status status);

// A deploy that says what it expects to replace. `absent`: not stated; an empty id: nothing is live.
struct Expected {
  std::optional<ReleaseId> release;
};

// A reviewer's answer to one question of a checklist.
struct Answer {
  enum class Word { yes, no, not_applicable };
  Word word = Word::yes;
  std::string note;
};
std::string_view name_of(Answer::Word word);
std::optional<Answer::Word> answer_of(std::string_view name);

// A verdict as it is asked for.
struct WantedVerdict {
  VerdictKind kind = VerdictKind::approve;
  std::string comment;
  // Of an item (or of the whole change set) that the caller looked at; a conflict when it is another.
  std::string digest;
  std::map<std::string, Answer>
      answers;  // by the id of the question; an approval answers all, and none with no
};

// One owner rule by names: teams as "@name", people by e-mail.
struct NamedOwners {
  std::string pattern;
  std::vector<std::string> owners;
};

// What a source says about a version.
struct WantedCheck {
  std::string name, digest;
  CheckStatus status = CheckStatus::pending;
  std::string summary, url;
};
struct WantedAcceptance {
  std::string rule, digest, reason;
  Time expires;
};

}  // namespace imprimatur::registry
