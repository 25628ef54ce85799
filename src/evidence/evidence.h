// What the journals prove to somebody outside: checkpoints and their witnesses, what let a release through,
// who had an environment when, and the changes of a period.
#pragma once

#include "domain/records.h"
#include "evidence/report.h"
#include "journal/envelope.h"
#include "journal/note.h"
#include "store/command.h"
#include "store/journal_rows.h"
#include "store/registry_rows.h"
#include "store/witness_rows.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace imprimatur::evidence {

using store::Page;
using store::PageRequest;

inline constexpr std::size_t kMaxWitnesses = 50;          // that are not removed
inline constexpr Duration kWitnessAhead = hours(1);       // by which a witness's clock may be ahead
inline constexpr std::size_t kMaxEvidenceEntries = 2000;  // that one release's evidence cites
inline constexpr std::string_view kReleasePredicate = "urn:imprimatur:release-evidence:v1";

// A checkpoint that witnesses signed, with their signatures beside the log's.
struct Cosigned {
  journal::Checkpoint checkpoint;
  journal::Note note;
  struct By {
    WitnessId witness;
    std::string name;
    Time at;
  };
  std::vector<By> by;
};

struct CheckpointView {
  store::Head head;
  journal::NoteKey log;            // who signs the note
  journal::Note note;              // of this very head
  std::vector<Cosigned> cosigned;  // the latest of each witness, the largest first
};

struct Consistency {
  std::uint64_t from = 0, to = 0;
  Hash256 from_root{}, to_root{};
  std::vector<Hash256> path;
  store::Head head;
};

// One version's time in an environment: [release.at, release.ended_at).
struct Tenure {
  Release release;
  std::string semver;
  std::string by;  // as people know them
};
struct History {
  std::string name, environment;
  bool words_visible = false;  // what people wrote is for those who may read drafts
  Page<Tenure> page;           // newest first
};

struct ReleaseEvidence {
  boost::json::object statement;  // in-toto; its canonical JSON is the payload
  // Of those it has by their ids, as people know them now. No journal is asked, so that they are not signed.
  std::map<PrincipalId, std::string> names;
  journal::Envelope envelope;
};

// Safe from any thread. `project` empty: the organisation's journal, for its admins.
class Evidence {
 public:
  // `signing_seed`: of the journals' heads. What it signs here rests on a head that the same key has signed
  // before, and on entries that are proved to be under it.
  Evidence(store::Store& store, std::string_view signing_seed);

  Result<CheckpointView> checkpoint(const Principal& who, std::string_view project);
  // That the first `from` entries are the beginning of the first `to`; without `to`, of the present journal.
  Result<Consistency> consistency(const Principal& who, std::string_view project, std::uint64_t from,
                                  std::optional<std::uint64_t> to);

  // Witnesses are the organisation's: its admins add and remove them, everybody may know them.
  Result<store::Witness> add_witness(const store::Command& command, std::string_view verifier_key);
  Status remove_witness(const store::Command& command, const WitnessId& id);
  Result<Page<store::Witness>> witnesses(const Principal& who, const PageRequest& page);
  // Keeps the cosignatures that a checkpoint carries. The checkpoint names its journal, which the caller must
  // be allowed to read; whose word counts is told by the signatures, not by who brings them.
  Result<Cosigned> cosign(const store::Command& command, std::string_view note);

  // Everything that let the release through, as far as the caller may see the words of it.
  Result<ReleaseEvidence> release(const Principal& who, const ReleaseId& id);

  // `environment` empty: the key's own, else production. With `at`: who was live at that moment, or nobody.
  Result<History> history(const Principal& who, const ArtifactId& id, std::string_view environment,
                          std::optional<Time> at, const PageRequest& page);

  Result<Report> report(const Principal& who, std::string_view project, std::string_view environment,
                        std::optional<Time> since, std::optional<Time> until);

 private:
  // The head of the journal, which this key has signed. Throws DataBroken when it has not.
  Result<store::Head> own_head(store::Tx& tx, const std::string& journal) const;
  journal::Note signed_note(const journal::Checkpoint& checkpoint) const;
  std::string origin(std::string_view journal) const;

  store::Store& store_;
  const journal::Signer signer_;
};

}  // namespace imprimatur::evidence
