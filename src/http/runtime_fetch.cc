#include "http/runtime_fetch.h"

#include "base/percent.h"
#include "base/utf8.h"
#include "domain/words.h"
#include "http/api/fields.h"
#include "http/problem.h"
#include "identity/secrets.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

using delivery::Answer;
using delivery::EnvironmentIndex;
using delivery::Key;
using delivery::Reason;
using delivery::Snapshot;

constexpr std::string_view kPrefix = "/api/v1/runtime/prompts/";
constexpr std::string_view kScheme = "Bearer ";
constexpr Duration kUseNotedEvery = seconds(1);
constexpr std::size_t kMaxSelectionBytes = 100;

Error no_credential() {
  return unauthenticated("send a valid API key or session token as Authorization: Bearer");
}
Error nothing_here() { return not_found("nothing with this name is live in this environment"); }

// What the query asks for. Empty where it asks for nothing.
struct Wanted {
  std::string_view environment, project, version, label;
};

constexpr std::string_view kTargetingKey = "targetingKey", kContext = "ctx.";
constexpr std::size_t kMaxTargetingKeyBytes = 1024;  // 256 characters
constexpr std::size_t kMaxVariables = 200, kMaxContext = 100;
constexpr std::size_t kMaxVariablesBytes = 1024 * 1024;  // of a render, as JSON

// The slot of a query parameter that selects something; null for targetingKey, ctx.* and strangers.
std::string_view* slot_of(Wanted& wanted, std::string_view name) {
  if (name == "environment") return &wanted.environment;
  if (name == "version") return &wanted.version;
  if (name == "label") return &wanted.label;
  if (name == "project") return &wanted.project;
  return nullptr;
}

// "name@range" is short for version=range.
Status split_version(std::string_view& name, Wanted& wanted) {
  const std::size_t at = name.find('@');
  if (at != std::string_view::npos) {
    if (!wanted.version.empty()) return invalid("the version stands in the name and in the query");
    wanted.version = name.substr(at + 1);
    name = name.substr(0, at);
    if (wanted.version.empty()) return invalid("the name ends in '@' without a version");
  }
  if (!wanted.version.empty() && !wanted.label.empty())
    return invalid("ask for a version or for a label, not for both");
  if (wanted.version.size() > kMaxSelectionBytes || wanted.label.size() > kMaxSelectionBytes) {
    return invalid("the version or label is too long");
  }
  return Ok{};
}

struct Bounds {
  std::string_view project;  // id
  std::optional<EnvironmentIndex> bound, standard;
  bool unreachable = false;
};

Result<EnvironmentIndex> environment_of(const Snapshot& snapshot, const Bounds& caller,
                                        const Wanted& wanted) {
  if (!wanted.project.empty()) {
    const auto project = snapshot.directory->projects.find(caller.project);
    if (project == snapshot.directory->projects.end() || project->second.name != wanted.project) {
      return not_found("there is no such project, or it is not yours to know");
    }
  }
  if (caller.unreachable) return nothing_here();
  if (wanted.environment.empty()) {
    if (!caller.standard) return nothing_here();
    return *caller.standard;
  }
  const auto index = snapshot.directory->find(caller.project, wanted.environment);
  if (caller.bound && index != caller.bound) {
    return forbidden("this key is bound to another environment", {"the key is bound to one environment"});
  }
  if (!index) return nothing_here();
  return *index;
}

Error miss(delivery::Miss why) {
  switch (why) {
    case delivery::Miss::nothing_live: return nothing_here();
    case delivery::Miss::no_such_version:
      return not_found("no version that was live in this environment and is not retired fits");
    case delivery::Miss::bad_version: return invalid_field("version", "neither a number nor a semver range");
  }
  CHECK(false, "unknown miss");
}

Result<const Key*> key_of(const Snapshot& snapshot, const delivery::Delivery& delivery,
                          std::string_view credential) {
  if (credential.size() <= kScheme.size() ||
      !equal_field_names(credential.substr(0, kScheme.size()), kScheme)) {
    return no_credential();
  }
  const Key* key = snapshot.key(delivery.hash_key(credential.substr(kScheme.size())));
  if (key == nullptr) return no_credential();
  return key;
}

Status usable(const Key& key, Time now) {
  if (now >= key.expires_at) return no_credential();
  if (!key.may(Scope::runtime_read)) {
    return forbidden("this key may not read what is live", {"the key lacks the scope runtime:read"});
  }
  return Ok{};
}

// Entity tags hold no quotes, so a tag with its quotes stands in the list as itself or not at all.
bool has_it(std::string_view if_none_match, std::string_view etag) {
  return !if_none_match.empty() &&
         (if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos);
}

// What one thread looked up lately in the present snapshot: one line of memory instead of the way down the
// trie. Two answers share a line, so that two names which fall on it do not put each other out by turns.
class RecentAnswers {
 public:
  using Held = const std::shared_ptr<const Answer>*;

  Held find(const Snapshot& snapshot, EnvironmentIndex environment, std::string_view name) const {
    const std::uint64_t hash = delivery::hash_of(environment, name);
    for (const Slot& slot : lines_[hash % kLines].slots) {
      if (slot.sequence != snapshot.sequence || slot.environment != environment || slot.tag != tag_of(hash)) {
        continue;
      }
      // All of it will be read; asked for together, its lines come from far memory at the price of one.
      const char* const first = reinterpret_cast<const char*>(slot.answer);
      for (std::size_t at = 0; at < kPrefetched; at += kLine) __builtin_prefetch(first + at);
      if (slot.answer->name() == name) return slot.held;
    }
    return nullptr;
  }
  void put(const Snapshot& snapshot, EnvironmentIndex environment, std::string_view name, Held held) {
    const std::uint64_t hash = delivery::hash_of(environment, name);
    Line& line = lines_[hash % kLines];
    line.slots[1] = line.slots[0];
    line.slots[0] = {snapshot.sequence, held, held->get(), environment, tag_of(hash)};
  }

 private:
  static constexpr std::size_t kLines = 32768;
  static constexpr std::size_t kLine = 64, kPrefetched = 16 * kLine;
  struct Slot {
    std::uint64_t sequence = 0;  // of the snapshot that holds the rest; none has 0
    Held held = nullptr;
    const Answer* answer = nullptr;
    EnvironmentIndex environment = 0;
    std::uint32_t tag = 0;  // tells names apart without a look at their answers
  };
  struct alignas(kLine) Line {
    std::array<Slot, 2> slots;
  };
  static_assert(sizeof(Line) == kLine);
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::vector<Line> lines_{kLines};
};

// One I/O thread's share: its snapshot reader and the memory it uses again and again.
class RuntimeFetch {
 public:
  explicit RuntimeFetch(delivery::Delivery& delivery)
      : delivery_(delivery), reader_(delivery.snapshots()), uses_(delivery.new_last_uses()) {}

  bool operator()(const Head& head, FastContext& context, FastAnswer& answer) {
    if (!head.path.starts_with(kPrefix) || head.path.size() == kPrefix.size()) return false;
    if (head.method != Method::get && head.method != Method::head) return false;
    if (head.authorization.empty() ? !head.cookie.empty() : !is_api_key(head.authorization)) return false;
    std::string_view name = head.path.substr(kPrefix.size());
    Wanted wanted;
    if (!decode(name, decoded_[kNames]) || !read_query(head.query, wanted))
      return false;  // the router says 400
    const Snapshot& snapshot = reader_.get();
    const Status status = look_up(snapshot, head, context, name, wanted, answer);
    if (!status.ok()) refuse(status.error(), head, context, answer);
    return true;
  }

 private:
  static constexpr std::size_t kNames = 4;  // decoded_[0..3] hold the four values of Wanted
  static constexpr std::size_t kContextHere = 16;

  // Into memory that is used again and again, and only where there is something to decode.
  static bool decode(std::string_view& text, std::string& memory, Plus plus = Plus::literal) {
    if (text.find('%') == std::string_view::npos &&
        (plus == Plus::literal || text.find('+') == std::string_view::npos)) {
      return true;
    }
    memory.clear();
    if (!append_percent_decoded(memory, text, plus) || first_invalid_utf8(memory)) return false;
    text = memory;
    return true;
  }

  // False for anything that the strict reader of queries would not take as it is, and for more context than
  // is worth comparing here.
  bool read_query(std::string_view query, Wanted& wanted) {
    std::array<std::string_view, kContextHere> taken;
    std::size_t count = 0;
    for (std::size_t slot = 0; !query.empty();) {
      const std::size_t end = query.find('&');
      const std::string_view pair = query.substr(0, end);
      query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
      const std::size_t equals = pair.find('=');
      const std::string_view name = pair.substr(0, equals);
      std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
      if (std::string_view* into = slot_of(wanted, name)) {
        if (value.empty() || !into->empty() || !decode(value, decoded_[slot++], Plus::space)) return false;
        *into = value;
        continue;
      }
      if (name != kTargetingKey && !(name.starts_with(kContext) && name.size() > kContext.size()))
        return false;
      if (name.find_first_of("%+") != std::string_view::npos || value.size() > kMaxTargetingKeyBytes ||
          count == taken.size() ||
          std::find(taken.begin(), taken.begin() + count, name) != taken.begin() + count) {
        return false;
      }
      taken[count++] = name;
      if (!decode(value, ignored_, Plus::space)) return false;
    }
    return true;
  }

  Status look_up(const Snapshot& snapshot, const Head& head, FastContext& context, std::string_view name,
                 Wanted& wanted, FastAnswer& answer) {
    const Key* key = TRY(authenticated(snapshot, head.authorization, context));
    TRY(split_version(name, wanted));
    EnvironmentIndex environment = 0;
    if (wanted.environment.empty() && wanted.project.empty() && key->standard) {
      environment = *key->standard;
    } else {
      environment = TRY(
          environment_of(snapshot, {key->project.text, key->bound, key->standard, key->unreachable}, wanted));
    }
    const bool plain = wanted.version.empty() && wanted.label.empty();
    delivery::Found found{.answer = plain ? recent_.find(snapshot, environment, name) : nullptr};
    if (found.answer == nullptr) {
      found = snapshot.find(environment, name, {wanted.version, wanted.label});
      if (found.answer == nullptr) return miss(found.miss);
      if (plain) recent_.put(snapshot, environment, name, found.answer);
    }
    const Answer& ready = **found.answer;
    std::string_view etag = ready.etag();
    answer = {.status = 200, .head = ready.head(), .body = ready.body(), .hold = &hold, .held = found.answer};
    if (found.reason != Reason::live) {
      head_.clear();
      body_.clear();
      etag_.clear();
      append_answer(ready, found.reason, head_, body_, etag_);
      etag = etag_;
      answer = {.status = 200, .head = head_, .body = body_};
    }
    if (has_it(head.if_none_match, etag)) {
      const std::string tag(etag);
      head_.clear();
      delivery::append_not_modified(tag, head_);
      answer = {.status = 304, .head = head_};
    }
    return Ok{};
  }

  static std::shared_ptr<const void> hold(const void* held) {
    return *static_cast<const std::shared_ptr<const Answer>*>(held);
  }

  Result<const Key*> authenticated(const Snapshot& snapshot, std::string_view authorization,
                                   FastContext& context) {
    CredentialMemo& memo = context.memo;
    if (memo.generation != snapshot.access_version || memo.authorization != authorization) {
      const Key* found = TRY(key_of(snapshot, delivery_, authorization));
      memo.authorization = authorization;
      memo.generation = snapshot.access_version;
      memo.record = found;
      memo.noted = {};
    }
    const Key* key = static_cast<const Key*>(memo.record);
    TRY(usable(*key, context.now));
    if (context.now - memo.noted >= kUseNotedEvery) {
      uses_.note(key->id, context.now);
      memo.noted = context.now;
    }
    return key;
  }

  void refuse(const Error& error, const Head& head, const FastContext& context, FastAnswer& answer) {
    const Response response = problem(error, head.path, context.request_id);
    head_ = "HTTP/1.1 " + std::to_string(response.status) + " " +
            std::string(reason_phrase(response.status)) + "\r\nContent-Type: " + response.content_type +
            "\r\nContent-Length: ";
    body_ = bytes_of(response);
    head_ += std::to_string(body_.size()) + "\r\nCache-Control: no-store\r\n";
    for (const auto& [name, value] : response.headers) head_ += name + ": " + value + "\r\n";
    answer = {.status = response.status, .head = head_, .body = body_};
  }

  delivery::Delivery& delivery_;
  Published<Snapshot>::Reader reader_;
  delivery::LastUses& uses_;
  std::array<std::string, kNames + 1> decoded_;
  std::string head_, body_, etag_, ignored_;
  RecentAnswers recent_;
};

// What a handler's query asks for; everything that no parameter of the contract is, is refused: a misspelt
// `environment` must not be production.
Result<Wanted> wanted_of(const Request& request) {
  Query query(request);
  Wanted wanted;
  for (const std::string_view name : {"environment", "version", "label", "project"}) {
    if (query.text_if(name)) *slot_of(wanted, name) = *request.query_value(name);
  }
  query.take(kTargetingKey);
  const std::string* key = request.query_value(kTargetingKey);
  if (key != nullptr && key->size() > kMaxTargetingKeyBytes) {
    query.complain(kTargetingKey, "is over " + std::to_string(kMaxTargetingKeyBytes) + " bytes");
  }
  for (const auto& [name, value] : request.query) {
    if (name.starts_with(kContext) && name.size() > kContext.size()) query.take(name);
  }
  TRY(query.done());
  return wanted;
}

struct Chosen {
  std::shared_ptr<const Snapshot> snapshot;
  delivery::Found found;
};

Result<Chosen> choose(const delivery::Delivery& delivery, const RuntimeCaller& caller, std::string_view name,
                      Wanted wanted) {
  TRY(split_version(name, wanted));
  Chosen chosen{delivery.snapshots().get(), {}};
  const auto& directory = *chosen.snapshot->directory;
  Bounds bounds{caller.project.text, {}, directory.find(caller.project.text, kStandardEnvironment), false};
  if (!caller.environment.empty()) {
    const auto bound = directory.environments.find(caller.environment.text);
    bounds.unreachable = bound == directory.environments.end();
    if (!bounds.unreachable) bounds.bound = bounds.standard = bound->second;
  }
  const EnvironmentIndex environment = TRY(environment_of(*chosen.snapshot, bounds, wanted));
  chosen.found = chosen.snapshot->find(environment, name, {wanted.version, wanted.label});
  if (chosen.found.answer == nullptr) return miss(chosen.found.miss);
  return chosen;
}

}  // namespace

bool is_api_key(std::string_view authorization) {
  return authorization.size() >= kScheme.size() + identity::kKeyPrefix.size() &&
         equal_field_names(authorization.substr(0, kScheme.size()), kScheme) &&
         authorization.substr(kScheme.size()).starts_with(identity::kKeyPrefix);
}

FastPathFactory runtime_fast_path(delivery::Delivery& delivery) {
  return [&delivery](std::size_t) -> FastPath {
    auto fetch = std::make_shared<RuntimeFetch>(delivery);
    return [fetch](const Head& head, FastContext& context, FastAnswer& answer) {
      return (*fetch)(head, context, answer);
    };
  };
}

Result<RuntimeCaller> runtime_caller(const delivery::Delivery& delivery, const Request& request, Time now) {
  const std::string* credential = request.header("Authorization");
  if (credential == nullptr) return no_credential();
  const auto snapshot = delivery.snapshots().get();
  const Key* key = TRY(key_of(*snapshot, delivery, *credential));
  TRY(usable(*key, now));
  if (key->unreachable) return nothing_here();
  RuntimeCaller caller{key->project, {}};
  for (const auto& [id, index] : snapshot->directory->environments) {
    if (key->bound == index) caller.environment.text = id;
  }
  return caller;
}

Result<Response> fetch_prompt(const delivery::Delivery& delivery, const RuntimeCaller& caller,
                              const Request& request, std::string_view name) {
  const Wanted wanted = TRY(wanted_of(request));
  const Chosen chosen = TRY(choose(delivery, caller, name, wanted));
  const Answer& ready = **chosen.found.answer;
  std::string head, body(ready.body()), etag(ready.etag());
  if (chosen.found.reason != Reason::live) {
    body.clear();
    etag.clear();
    append_answer(ready, chosen.found.reason, head, body, etag);
  }
  Response response{.headers = {{"ETag", etag}, {"Cache-Control", "private, no-cache"}}};
  const std::string* if_none_match = request.header("If-None-Match");
  if (if_none_match != nullptr && has_it(*if_none_match, etag)) {
    response.status = 304;
    response.content_type.clear();
  } else {
    response.body = std::move(body);
  }
  return response;
}

Result<Response> render_prompt(const delivery::Delivery& delivery, const RuntimeCaller& caller,
                               const Request& request, std::string_view name) {
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  TRY(query.done());
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  boost::json::object variables;
  if (auto given = fields.object_if("variables")) {
    variables = given->members();
    if (variables.size() > kMaxVariables) {
      fields.complain("variables", "are more than " + std::to_string(kMaxVariables));
    }
  } else if (!fields.has("variables")) {
    fields.complain("variables", "is required");
  }
  if (auto context = fields.object_if("context"); context && context->members().size() > kMaxContext) {
    fields.complain("context", "has more than " + std::to_string(kMaxContext) + " members");
  }
  const auto environment = fields.text_if("environment");
  if (environment && environment->empty())
    fields.complain("environment", "must not be empty; leave it out instead");
  TRY(body.done());
  if (boost::json::serialize(variables).size() > kMaxVariablesBytes) {
    return too_large("variables are over " + std::to_string(kMaxVariablesBytes) + " bytes together");
  }
  const Wanted wanted{.environment = environment ? std::string_view(*environment) : std::string_view(),
                      .project = project};
  const Chosen chosen = TRY(choose(delivery, caller, name, wanted));
  return json_response(TRY(rendered(**chosen.found.answer, chosen.found.reason, variables)));
}

}  // namespace imprimatur::http
