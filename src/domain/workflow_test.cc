#include "domain/workflow.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

TEST(Workflow, PageOnDiskIsTheTable) {
  const std::string path = std::string(IMPRIMATUR_SOURCE_DIR) + "/docs/workflow.md";
  if (std::getenv("ACCEPT") != nullptr) std::ofstream(path) << workflow_page();
  std::ifstream file(path);
  std::stringstream on_disk;
  on_disk << file.rdbuf();
  EXPECT_EQ(on_disk.str(), workflow_page()) << "run ACCEPT=1 domain_tests to rewrite docs/workflow.md";
}

}  // namespace
}  // namespace imprimatur
