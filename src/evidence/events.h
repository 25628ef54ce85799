// The journal events of witnesses, as api/events.yaml describes them.
#pragma once

#include "journal/entry.h"
#include "store/witness_rows.h"

namespace imprimatur::evidence {

journal::Event witness_added(const PrincipalId& actor, const store::Witness& witness);
journal::Event witness_removed(const PrincipalId& actor, const WitnessId& witness);

}  // namespace imprimatur::evidence
