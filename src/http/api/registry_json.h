// Views of the registry as the JSON of api/openapi.yaml. Every field is there; null means none.
#pragma once

#include "registry/queries.h"

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::http {

boost::json::object actor_json(const PrincipalId& id, const registry::Displays& displays);
boost::json::object prompt_json(const registry::ArtifactView& view);
boost::json::object version_json(const registry::VersionView& view, std::string_view ruleset);
boost::json::object scan_json(const ScanRecord& scan, std::string_view ruleset);
boost::json::object gate_json(const GateAnswer& gate, const registry::Displays& displays);
boost::json::object review_json(const registry::ReviewView& view);
boost::json::object comment_json(const Comment& comment, const registry::Displays& displays);
boost::json::object check_json(const CheckReport& report, const registry::Displays& displays);
boost::json::object accepted_json(const AcceptedFinding& accepted, const registry::Displays& displays);
boost::json::object owners_json(const registry::OwnersView& view);
boost::json::object release_json(const registry::ReleaseView& view);
boost::json::object environment_json(const registry::EnvironmentView& view);
boost::json::object label_json(const Label& label, const registry::Displays& displays);
boost::json::object diff_json(const registry::DiffView& view);
boost::json::object effective_json(const registry::EffectiveView& view);
boost::json::object entry_json(const journal::Entry& entry);
boost::json::object checkpoint_json(const store::Head& head);

boost::json::value id_or_null(const std::string& id);
std::string prefixed(const Hash256& hash);  // "sha256:…"

}  // namespace imprimatur::http
