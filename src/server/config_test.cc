#include "server/config.h"

#include "server/secrets.h"

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace imprimatur::server {
namespace {

struct ConfigTest : testing::Test {
  ConfigTest() {
    char pattern[] = "/tmp/imprimatur-config-XXXXXX";
    directory = mkdtemp(pattern);
  }
  ~ConfigTest() override { std::filesystem::remove_all(directory); }
  std::string write(const std::string& text) {
    std::ofstream(directory + "/config.yaml") << text;
    return directory + "/config.yaml";
  }
  std::string directory;
  std::map<std::string, std::string> variables;
  Environment environment = [this](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
};

TEST_F(ConfigTest, FlagsOverEnvironmentOverFile) {
  const std::string file = write("threads: 2\nlisten: 127.0.0.1:1\nlog_level: debug\n");
  variables = {{"IMPRIMATUR_THREADS", "3"}, {"IMPRIMATUR_LISTEN", "127.0.0.1:2"}};
  const auto config = load_config({{"threads", "4"}}, file, environment);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->threads, 4U);
  EXPECT_EQ(config->port, 2);
  EXPECT_EQ(config->log_level, LogLevel::debug);
  EXPECT_EQ(config->data, "data");
  EXPECT_EQ(config->secret_file, "data/secret");
}

TEST_F(ConfigTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* bad :
       {"nonsense: 1\n", "threads: 0\n", "threads: 65\n", "threads: [1]\n", "- a\n", "listen: nowhere\n",
        "database: mysql://x\n", "admin_password: secret\n", "threads: 1\nthreads: 2\n", "a: b: c\n"}) {
    EXPECT_FALSE(load_config({}, write(bad), environment).ok()) << bad;
  }
  EXPECT_FALSE(load_config({}, directory + "/absent.yaml", environment).ok());
  EXPECT_FALSE(load_config({{"data", "x"}, {"database", "postgresql://h/d"}}, "", environment).ok());
  EXPECT_FALSE(load_config({{"certificate_file", "x"}}, "", environment).ok());
  EXPECT_FALSE(load_config({{"demo", "true"}, {"listen", "0.0.0.0:80"}}, "", environment).ok());
  EXPECT_FALSE(load_config({{"admin_password", "x"}}, "", environment).ok());
}

TEST_F(ConfigTest, AHigherLayersDatabaseReplacesALowerOnes) {
  variables = {{"IMPRIMATUR_DATA", "/somewhere"}};
  const auto config = load_config({{"database", "postgresql://h/d"}}, "", environment);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_TRUE(config->data.empty());
}

TEST_F(ConfigTest, SecretsAreMadeOnceAndKeptFromOthers) {
  const std::string path = directory + "/new/secret";
  EXPECT_FALSE(load_secrets(path).ok());
  ASSERT_TRUE(make_secrets(path).ok());
  const auto first = load_secrets(path);
  ASSERT_TRUE(first.ok()) << first.error().detail;
  EXPECT_EQ(first->signing_seed.size(), 32U);
  EXPECT_NE(first->signing_seed, first->server_secret);
  ASSERT_TRUE(make_secrets(path).ok());
  EXPECT_EQ(load_secrets(path)->signing_seed, first->signing_seed);
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  ::chmod(path.c_str(), 0644);
  EXPECT_FALSE(load_secrets(path).ok());
  ::chmod(path.c_str(), 0600);
  std::ofstream(path) << "imprimatur-secret-v1\n12\n";
  EXPECT_FALSE(load_secrets(path).ok());
}

}  // namespace
}  // namespace imprimatur::server
