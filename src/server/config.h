// What the server is told: flags over IMPRIMATUR_* environment over a file, and nothing else.
#pragma once

#include "base/log.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::server {

struct Config {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  std::string data;           // directory of the embedded database
  std::string database;       // or a postgresql:// URL
  std::string secret_file;    // empty: DIR/secret, or ./imprimatur.secret beside a database elsewhere
  std::size_t threads = 1;    // I/O threads
  std::string certificate_file, key_file;
  std::string
      admin_password;  // of the first admin; read from the environment only, never from a file or a flag
  std::vector<std::string> rule_packs;  // YAML files beside the built-in ones
  bool access_log = true;
  LogLevel log_level = LogLevel::info;
  bool demo = false;
};

// One setting: its name in the file ("log_level"), in the environment (IMPRIMATUR_LOG_LEVEL) and on the
// command line (--log-level), and what it is for.
struct Setting {
  std::string_view name;
  std::string_view says;
  Status (*set)(Config& config, const std::string& value);
  bool secret = false;  // environment only
};
const std::vector<Setting>& settings();

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// `flags`: name to value as given on the command line; `file`: path of a YAML mapping, empty for none.
// Refuses unknown names, values out of range, both a directory and a URL, a demo that strangers could reach,
// and a certificate without its key. Without either database, the directory is ./data.
Result<Config> load_config(const std::map<std::string, std::string>& flags, const std::string& file,
                           const Environment& environment);

}  // namespace imprimatur::server
