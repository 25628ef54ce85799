// Resolving and following locks against the project's own versions, inside a read or a command.
#pragma once

#include "domain/layers.h"
#include "domain/records.h"
#include "store/store.h"

#include <map>
#include <string>
#include <utility>

namespace imprimatur::registry {

// The versions of one project. Reads each no more than once.
class ProjectLayers {
 public:
  ProjectLayers(store::Tx& tx, ProjectId project) : tx_(tx), project_(std::move(project)) {}

  // Those of the project that were not retired, whatever state they are in: a draft may rest on drafts. Lives
  // no longer than this object.
  LayerSource source();
  // What a version's lock names, retired or not. Lives no longer than this object.
  LoadVersion loader();

  // The content with all that it includes in place. Unprocessable where the store holds something else than
  // the lock names.
  Result<Content> effective(const Content& content);
  // The same of canonical content, which is given back as it is when it includes nothing.
  Result<std::string> effective(const std::string& canonical);

 private:
  Result<std::string> load(const std::string& name, std::int64_t number);

  store::Tx& tx_;
  const ProjectId project_;
  std::map<std::pair<std::string, std::int64_t>, std::string> known_;
  std::size_t known_bytes_ = 0;
};

}  // namespace imprimatur::registry
