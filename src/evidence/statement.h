// What let a release through, as one statement: each part checked against the entry that tells of it, and
// each entry proved to be in the journal.
#pragma once

#include "evidence/let_through.h"
#include "journal/note.h"
#include "registry/caller.h"
#include "store/journal_rows.h"

#include <string>

namespace imprimatur::evidence {

// in-toto Statement v1 as canonical JSON; docs/evidence.md describes it. `note`: of `head`. Unprocessable
// when more stands behind the release than one file should hold.
Result<std::string> release_statement(store::Tx& tx, const registry::ArtifactScene& scene,
                                      const Release& release, const store::Head& head,
                                      const journal::Note& note);

}  // namespace imprimatur::evidence
