// What let a release through, as one statement: each part checked against the entry that tells of it, and
// each entry proved to be in the journal.
#pragma once

#include "evidence/let_through.h"
#include "journal/note.h"
#include "registry/caller.h"
#include "store/journal_rows.h"

#include <cstddef>
#include <map>
#include <string>

#include <boost/json/object.hpp>

namespace imprimatur::evidence {

// in-toto Statement v1 as canonical JSON; docs/evidence.md describes it. `note`: of `head`. Unprocessable
// when more stands behind the release than one file should hold.
struct Stated {
  boost::json::object object;
  std::string text;
  std::map<PrincipalId, std::string> names;  // of those it has by their ids, as people know them now
};
Result<Stated> release_statement(store::Tx& tx, const registry::ArtifactScene& scene, const Release& release,
                                 const store::Head& head, const journal::Note& note);

// Whether an envelope holds a statement of so many bytes; unprocessable where it would not be read again.
Status require_fits(std::size_t bytes);

}  // namespace imprimatur::evidence
