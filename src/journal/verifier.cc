#include "journal/verifier.h"

#include "base/json.h"
#include "journal/signing.h"

#include <algorithm>
#include <cstdint>

#include <boost/json.hpp>

namespace imprimatur::journal {
namespace {

namespace json = boost::json;

constexpr std::string_view kHashPrefix = "sha256:";

std::string digest_text(const Hash256& hash) { return std::string(kHashPrefix) + to_hex(hash); }

Result<std::string> text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return invalid_field(std::string(name), "must be a string");
  return std::string(value->get_string());
}

Result<Hash256> hash_of(const json::object& object, std::string_view name) {
  const std::string text = TRY(text_of(object, name));
  const auto hash =
      text.starts_with(kHashPrefix) ? hash_from_hex(text.substr(kHashPrefix.size())) : std::nullopt;
  if (!hash || digest_text(*hash) != text) {
    return invalid_field(std::string(name), "must be sha256: and 64 hexadecimal digits in lower case");
  }
  return *hash;
}

Result<std::string> bytes_of(const json::object& object, std::string_view name) {
  const std::string text = TRY(text_of(object, name));
  auto bytes = from_base64(text);
  if (!bytes) return invalid_field(std::string(name), "must be base64");
  return std::move(*bytes);
}

Result<SignedHead> head_of(const json::value& value) {
  if (!value.is_object()) return invalid("a head must be an object");
  const json::object& object = value.get_object();
  SignedHead head;
  head.journal = TRY(text_of(object, "journal"));
  head.root = TRY(hash_of(object, "rootHash"));
  head.last_hash = TRY(hash_of(object, "lastHash"));
  head.signature = TRY(bytes_of(object, "signature"));
  head.public_key = TRY(bytes_of(object, "publicKey"));
  const json::value* size = object.if_contains("size");
  if (size == nullptr || !size->is_int64() || size->get_int64() < 0) {
    return invalid_field("size", "must be a whole number");
  }
  head.size = static_cast<std::uint64_t>(size->get_int64());
  return head;
}

bool signature_holds(const SignedHead& head) {
  return verify_signature(head.public_key, head_bytes(head.journal, head.size, head.root, head.last_hash),
                          head.signature);
}

}  // namespace

std::string head_to_json(const SignedHead& head) {
  const json::object object = {{"journal", head.journal},
                               {"lastHash", digest_text(head.last_hash)},
                               {"publicKey", to_base64(head.public_key)},
                               {"rootHash", digest_text(head.root)},
                               {"signature", to_base64(head.signature)},
                               {"size", head.size}};
  return canonical_json(object).value();
}

Result<SignedHead> head_from_json(std::string_view text) { return head_of(TRY(parse_json(text))); }

Result<Checkpoints> checkpoints_from_text(std::string_view text) {
  Checkpoints out;
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  if (!text.substr(begin).starts_with('{')) {
    out.notes.push_back(TRY(note_from_text(text)));
    TRY(checkpoint_in(out.notes.front()));
    return out;
  }
  const json::value parsed = TRY(parse_json(text));
  const json::value* heads = parsed.is_object() ? parsed.get_object().if_contains("heads") : nullptr;
  if (heads == nullptr) {
    out.heads.push_back(TRY(head_of(parsed)));
    return out;
  }
  if (!heads->is_array() || heads->get_array().empty()) return invalid("the checkpoint holds no heads");
  for (const json::value& head : heads->get_array()) out.heads.push_back(TRY(head_of(head)));
  return out;
}

std::string key_digest(std::string_view public_key) { return digest_text(sha256(public_key)); }

void Verifier::expect(const Trusted& trusted) {
  for (const SignedHead& head : trusted.checkpoints) checkpoints_.emplace(head.journal, head);
  trusted_key_ = trusted.key;
  for (const Note& note : trusted.notes) {
    const auto checkpoint = checkpoint_in(note);
    CHECK(checkpoint.ok(), "a note that is no checkpoint");
    std::string journal = journal_in(checkpoint->origin);
    notes_.emplace(std::move(journal), SeenNote{note, *checkpoint, trusted.witnesses, true});
  }
}

void Verifier::expect_cosigned(const Note& note, const NoteKey& witness) {
  const Checkpoint checkpoint = checkpoint_in(note).value();
  notes_.emplace(journal_in(checkpoint.origin), SeenNote{note, checkpoint, {witness}, false});
}

Verifier::Open& Verifier::open(std::string_view journal) {
  const auto found = open_.find(journal);
  if (found != open_.end()) return found->second;
  Open& state = open_[std::string(journal)];
  if (closed_.contains(journal)) {
    state.chained = state.replayed = false;
    state.faults.push_back({std::string(journal), 0, "the journal comes in two pieces"});
  }
  return state;
}

void Verifier::take(const Entry& entry) {
  Open& state = open(entry.journal);
  ++result_.entries;
  if (!state.chained) return;
  boost::json::value details;
  if (std::string why = misfit(state.last ? &*state.last : nullptr, entry, &details); !why.empty()) {
    state.faults.push_back({entry.journal, state.last ? state.last->seq + 1 : 1, std::move(why)});
    state.chained = false;
    return;
  }
  state.tree.append(leaf_of(entry));
  state.last = entry;
  compare_with_seen(state, entry);
  if (!state.replayed) return;
  if (const Status applied = state.replay.apply(entry, details.get_object()); !applied.ok()) {
    state.faults.push_back(
        {entry.journal, entry.seq, entry.event.action + " cannot follow: " + applied.error().detail});
    state.replayed = false;
  }
}

void Verifier::compare_with_seen(Open& state, const Entry& entry) {
  const auto another = [&] {
    state.faults.push_back(
        {entry.journal, entry.seq, "the journal up to here is not the one of the checkpoint"});
  };
  for (auto [at, end] = checkpoints_.equal_range(entry.journal); at != end; ++at) {
    const SignedHead& seen = at->second;
    if (seen.size != entry.seq) continue;
    if (seen.root != state.tree.root() || seen.last_hash != entry.hash) another();
  }
  for (auto [at, end] = notes_.equal_range(entry.journal); at != end; ++at) {
    const Checkpoint& seen = at->second.checkpoint;
    if (seen.size == entry.seq && seen.root != state.tree.root()) another();
  }
}

void Verifier::take_head(const SignedHead& head) { open(head.journal).head = head; }

void Verifier::take_row(std::string_view journal, std::string key, std::string text) {
  Open& state = open(journal);
  // What fits is not kept: the rows of a long journal would be in memory twice.
  bool twice = false;
  if (!state.replay.accounts_for(key, text, twice))
    twice = !state.tables.emplace(key, std::move(text)).second;
  if (twice && state.faults.size() < kMaxFaults) {
    state.faults.push_back({std::string(journal), 0, key + " is in the table twice"});
  }
}

void Verifier::fault(Fault fault) { open(fault.journal).faults.push_back(std::move(fault)); }

void Verifier::judge_head(const std::string& name, Open& state) {
  const auto fault = [&](std::uint64_t seq, std::string what) {
    state.faults.push_back({name, seq, std::move(what)});
  };
  const std::uint64_t size = state.tree.size;
  if (!state.head) return fault(0, "the journal has no signed head");
  const SignedHead& head = *state.head;
  if (head.size > size) {
    return fault(size + 1, "entry " + std::to_string(size + 1) + " is missing: the head counts " +
                               std::to_string(head.size) + " entries");
  }
  if (head.size < size)
    return fault(head.size + 1, "the head counts " + std::to_string(head.size) + " entries only");
  if (head.root != state.tree.root()) fault(0, "the head's root is not that of the entries");
  if (head.last_hash != (state.last ? state.last->hash : Hash256{})) {
    fault(0, "the head's last hash is not that of the last entry");
  }
  if (!signature_holds(head)) fault(0, "the head's signature does not hold");
  const std::string key = key_digest(head.public_key);
  if (signing_key_ && *signing_key_ != key) {
    fault(0, "the head is signed by another key than the organisation's");
  }
  if (!trusted_key_.empty() && trusted_key_ != key) {
    fault(0, "the head is signed by the key " + key + ", not by " + trusted_key_);
  }
  result_.keys.insert(key);
}

void Verifier::judge_checkpoints(const std::string& name, Open& state) {
  for (auto [at, end] = checkpoints_.equal_range(name); at != end; ++at) {
    const SignedHead& seen = at->second;
    const auto fault = [&](std::uint64_t seq, std::string what) {
      state.faults.push_back({name, seq, std::move(what)});
    };
    if (!signature_holds(seen)) fault(0, "the checkpoint's signature does not hold");
    if (state.head && seen.public_key != state.head->public_key)
      fault(0, "the checkpoint is signed by another key");
    if (seen.size > state.tree.size && state.chained) {
      fault(state.tree.size + 1, "entry " + std::to_string(state.tree.size + 1) +
                                     " is missing: the checkpoint has seen " + std::to_string(seen.size) +
                                     " entries");
    }
  }
}

void Verifier::judge_notes(const std::string& name, Open& state) {
  for (auto [at, end] = notes_.equal_range(name); at != end; ++at) {
    const SeenNote& seen = at->second;
    const auto fault = [&, &checkpoint = seen.checkpoint](std::uint64_t seq, const std::string& what) {
      state.faults.push_back(
          {name, seq, "the checkpoint of " + std::to_string(checkpoint.size) + " entries " + what});
    };
    if (seen.checkpoint.size == 0 && seen.checkpoint.root != sha256({})) fault(0, "has a root of its own");
    if (state.head && seen.checkpoint.origin != origin_of(state.head->public_key, name)) {
      fault(0, "is of another log, or of one that another key signs: " + seen.checkpoint.origin);
    } else if (state.head && seen.by_log) {
      const NoteKey log{seen.checkpoint.origin, NoteAlgorithm::log, state.head->public_key};
      if (signed_by(seen.note, log) != Signed::holds) fault(0, "is not signed by the log's key");
    }
    for (const NoteKey& witness : seen.witnesses) {
      switch (signed_by(seen.note, witness)) {
        case Signed::holds: break;
        case Signed::missing: fault(0, "is not cosigned by " + witness.name); break;
        case Signed::wrong: fault(0, "has a cosignature of " + witness.name + " that does not hold"); break;
      }
    }
    if (seen.checkpoint.size > state.tree.size && state.chained) {
      fault(state.tree.size + 1,
            "has seen entry " + std::to_string(state.tree.size + 1) + ", which is missing");
    }
  }
}

// Where the journal itself is broken, its rows cannot be told from it. What a version holds can still be told
// from its digest.
void Verifier::judge_rows(const std::string& name, Open& state) {
  const bool whole = state.chained && state.replayed && (!state.head || state.head->size == state.tree.size);
  if (whole) {
    for (Mismatch& row : compare(state.replay.rows(), state.tables, SIZE_MAX)) {
      state.faults.push_back({name, row.seq, std::move(row.what)});
      result_.doubtful.merge(row.doubtful);
    }
    return;
  }
  for (const auto& [key, text] : state.tables) {
    const RowText row(text);
    if (!key.starts_with("version ") || row.get("content") == row.get("digest")) continue;
    state.faults.push_back({name, 0,
                            key + ": content is " + std::string(row.get("content")) + ", not " +
                                std::string(row.get("digest"))});
    result_.doubtful.merge(served_by(key, text));
  }
}

// What the organisation's journal says about the others.
void Verifier::learn(Open& organisation) {
  for (const auto& [key, row] : organisation.replay.rows()) {
    if (key == "organisation") signing_key_ = std::string(RowText(row.value).get("signingKey"));
    if (key == "organisation" && !trusted_key_.empty() && *signing_key_ != trusted_key_) {
      organisation.faults.push_back(
          {std::string(kOrganisation), row.seq,
           "the organisation began with the key " + *signing_key_ + ", not with " + trusted_key_});
    }
    if (key.starts_with("project ")) projects_.insert(key.substr(key.find(' ') + 1));
  }
}

void Verifier::close(std::string_view journal) {
  const std::string name(journal);
  Open state = std::move(open(name));
  open_.erase(name);
  closed_.insert(name);
  if (name == kOrganisation) {
    learn(state);
  } else if (closed_.contains(kOrganisation) && !projects_.contains(name)) {
    state.faults.push_back({name, 0, "no project of the organisation has this journal"});
  }
  if (state.chained) judge_head(name, state);
  judge_checkpoints(name, state);
  judge_notes(name, state);
  if (scope_ == Scope::store) judge_rows(name, state);
  // What names an entry comes first, the first entry before all.
  std::stable_sort(state.faults.begin(), state.faults.end(), [](const Fault& a, const Fault& b) {
    return (a.seq == 0 ? UINT64_MAX : a.seq) < (b.seq == 0 ? UINT64_MAX : b.seq);
  });
  if (state.faults.size() > kMaxFaults) state.faults.resize(kMaxFaults);
  std::move(state.faults.begin(), state.faults.end(), std::back_inserter(result_.faults));
}

Verification Verifier::finish() {
  const bool nothing =
      scope_ == Scope::log || (open_.empty() && closed_.empty());  // a store that nobody wrote to
  if (open_.contains(kOrganisation) || !(closed_.contains(kOrganisation) || nothing)) close(kOrganisation);
  while (!open_.empty()) close(std::string(open_.begin()->first));
  for (const std::string& project : projects_) {
    if (!closed_.contains(project))
      result_.faults.push_back({project, 0, "the project's journal is missing"});
  }
  for (const auto& [name, head] : checkpoints_) {
    if (!closed_.contains(name)) result_.faults.push_back({name, 1, "the checkpoint's journal is missing"});
  }
  for (const auto& [name, seen] : notes_) {
    if (closed_.contains(name)) continue;
    const std::string& origin = seen.checkpoint.origin;
    result_.faults.push_back(
        {name.empty() ? origin : name, 1, "the journal of the checkpoint of " + origin + " is missing"});
  }
  Verification out = std::move(result_);
  *this = Verifier(scope_);
  return out;
}

}  // namespace imprimatur::journal
