#include "store/skeletons.h"

#include "domain/name.h"

#include <set>
#include <vector>

namespace imprimatur::store {
namespace {

struct Named {
  std::string project, id, name;
};

void make_anew(Database& database) {
  const auto all = database.all("SELECT project, id, name FROM artifacts ORDER BY project, created_at, id",
                                [](const Row& row) {
                                  return Named{row.text(0), row.text(1), row.text(2)};
                                });
  // Two steps, so that no two rows share a skeleton in between.
  database.touch("UPDATE artifacts SET skeleton = id");
  std::set<std::pair<std::string, std::string>> taken;
  for (const Named& one : all) {
    std::string skeleton = skeleton_of(one.name);
    if (!taken.emplace(one.project, skeleton).second) skeleton = skeleton_beside(skeleton, one.id);
    database.touch("UPDATE artifacts SET skeleton = ? WHERE project = ? AND id = ?", skeleton, one.project,
                   one.id);
  }
}

}  // namespace

// An id is nobody's name, so this is no name's own skeleton.
std::string skeleton_beside(const std::string& skeleton, const std::string& artifact) {
  return skeleton + "?" + artifact;
}

bool skeletons_are_of_today(Database& database) {
  return database.one("SELECT unicode FROM installation", [](const Row& row) { return row.text(0); }) ==
         unicode_version();
}

void keep_skeletons(Database& database) {
  if (skeletons_are_of_today(database)) return;
  database.begin_write();
  try {
    make_anew(database);
    database.touch(
        "INSERT INTO installation (id, unicode) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET unicode = "
        "excluded.unicode",
        unicode_version());
    database.commit();
  } catch (...) {
    database.rollback();
    throw;
  }
}

}  // namespace imprimatur::store
