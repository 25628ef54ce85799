// The check of a release's evidence from the file alone, as docs/evidence.md describes it.
#pragma once

#include "base/result.h"
#include "journal/verifier.h"

#include <string_view>

namespace imprimatur::journal {

// How such a file begins: no export does.
inline constexpr std::string_view kEvidenceBegins = "{\"payload\":";

// Signature, entries and their paths, the checkpoint, and that words, content and gate answer are those of
// the entries. A checkpoint that is trusted must be of the same size: what lies between needs a proof. An
// error when it is no evidence.
Result<Verification> verify_evidence(std::string_view text, const Trusted& trusted);

}  // namespace imprimatur::journal
