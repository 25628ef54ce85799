// Identifiers that cannot be swapped for one another.
#pragma once

#include <compare>
#include <functional>
#include <string>

namespace imprimatur {

template <class Tag>
struct Id {
  std::string text;
  bool empty() const { return text.empty(); }
  auto operator<=>(const Id&) const = default;
};

using ProjectId = Id<struct ProjectTag>;          // prj_…
using EnvironmentId = Id<struct EnvironmentTag>;  // env_…
using PrincipalId = Id<struct PrincipalTag>;      // usr_… a person, svc_… a service account
using TeamId = Id<struct TeamTag>;                // tea_…
using KeyId = Id<struct KeyTag>;                  // key_…
using SessionId = Id<struct SessionTag>;          // ses_…
using ArtifactId = Id<struct ArtifactTag>;        // art_…
using ReviewId = Id<struct ReviewTag>;            // rev_…
using ReleaseId = Id<struct ReleaseTag>;          // rel_…
using ScanId = Id<struct ScanTag>;                // scn_…
using WitnessId = Id<struct WitnessTag>;          // wit_…

}  // namespace imprimatur

template <class Tag>
struct std::hash<imprimatur::Id<Tag>> {
  std::size_t operator()(const imprimatur::Id<Tag>& id) const { return std::hash<std::string>()(id.text); }
};
