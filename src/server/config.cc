#include "server/config.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <yaml-cpp/yaml.h>

namespace imprimatur::server {
namespace {

constexpr std::size_t kMaxThreads = 64;
constexpr std::size_t kMaxConfigBytes = 64 * 1024;

template <class T>
Result<T> number(const std::string& value, T least, T most) {
  T out{};
  const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (ec != std::errc() || end != value.data() + value.size() || out < least || out > most) {
    return invalid("not a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return out;
}

Result<bool> yes_or_no(const std::string& value) {
  if (value == "true" || value == "1") return true;
  if (value == "false" || value == "0") return false;
  return invalid("neither true nor false");
}

// "127.0.0.1:8080", "[::1]:8080".
Status set_listen(Config& config, const std::string& value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos || colon == 0) return invalid("not of the form ADDRESS:PORT");
  std::string address = value.substr(0, colon);
  if (address.front() == '[' && address.back() == ']') address = address.substr(1, address.size() - 2);
  config.port = TRY(number<std::uint16_t>(value.substr(colon + 1), 0, 65535));
  config.address = address;
  return Ok{};
}

Status set_log_level(Config& config, const std::string& value) {
  static const std::map<std::string, LogLevel> kLevels{{"debug", LogLevel::debug},
                                                       {"info", LogLevel::info},
                                                       {"warning", LogLevel::warning},
                                                       {"error", LogLevel::error}};
  const auto level = kLevels.find(value);
  if (level == kLevels.end()) return invalid("none of debug, info, warning, error");
  config.log_level = level->second;
  return Ok{};
}

Status set_rule_packs(Config& config, const std::string& value) {
  std::istringstream paths(value);
  for (std::string path; std::getline(paths, path, ',');) {
    if (!path.empty()) config.rule_packs.push_back(path);
  }
  return Ok{};
}

bool loopback(const std::string& address) {
  return address == "::1" || address == "localhost" || address.starts_with("127.");
}

Error refused(std::string_view source, std::string_view name, const Error& why) {
  return invalid(std::string(source) + " " + std::string(name) + ": " + why.detail);
}

Result<std::map<std::string, std::string>> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return invalid("cannot read the configuration file " + path);
  std::string text(kMaxConfigBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kMaxConfigBytes) return invalid("the configuration file " + path + " is over 64 KiB");
  std::map<std::string, std::string> out;
  try {
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) return out;
    if (!root.IsMap()) return invalid(path + " is not a mapping of names to values");
    for (const auto& entry : root) {
      if (!entry.second.IsScalar())
        return invalid(path + ": " + entry.first.Scalar() + " is not a single value");
      if (!out.emplace(entry.first.Scalar(), entry.second.Scalar()).second) {
        return invalid(path + ": " + entry.first.Scalar() + " appears twice");
      }
    }
  } catch (const YAML::Exception& error) {
    return invalid(path + ": " + error.what());
  }
  return out;
}

std::string environment_name(std::string_view name) {
  std::string out = "IMPRIMATUR_" + std::string(name);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

const Setting* setting(std::string_view name) {
  const auto& all = settings();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Setting& s) { return s.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Status apply(Config& config, std::string_view source, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const Setting* known = setting(name);
    if (known == nullptr || known->secret) {
      return invalid(std::string(source) + " " + name + ": there is no such setting");
    }
    if (Status done = known->set(config, value); !done.ok()) return refused(source, name, done.error());
  }
  return Ok{};
}

Status check(Config& config) {
  if (!config.data.empty() && !config.database.empty()) {
    return invalid("give either a data directory or a database URL, not both");
  }
  if (config.data.empty() && config.database.empty()) config.data = "data";
  if (config.secret_file.empty()) {
    config.secret_file = config.data.empty() ? "imprimatur.secret" : config.data + "/secret";
  }
  if (config.certificate_file.empty() != config.key_file.empty()) {
    return invalid("TLS needs both a certificate file and a key file");
  }
  if (config.demo && !loopback(config.address)) {
    return invalid("the demo has published passwords; it listens on loopback only");
  }
  return Ok{};
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> kSettings{
      {"listen", "address and port to listen on (127.0.0.1:8080); port 0 takes any free one", set_listen},
      {"data", "directory of the embedded database (./data)",
       [](Config& config, const std::string& value) -> Status {
         config.data = value;
         return Ok{};
       }},
      {"database", "postgresql:// URL, instead of a directory",
       [](Config& config, const std::string& value) -> Status {
         if (!value.starts_with("postgresql://") && !value.starts_with("postgres://")) {
           return invalid("not a postgresql:// URL");
         }
         config.database = value;
         return Ok{};
       }},
      {"secret_file", "key material, made when it is absent; the same for every process on one database",
       [](Config& config, const std::string& value) -> Status {
         config.secret_file = value;
         return Ok{};
       }},
      {"threads", "I/O threads (1)",
       [](Config& config, const std::string& value) -> Status {
         config.threads = TRY(number<std::size_t>(value, 1, kMaxThreads));
         return Ok{};
       }},
      {"certificate_file", "PEM certificate chain; with key_file the server speaks TLS",
       [](Config& config, const std::string& value) -> Status {
         config.certificate_file = value;
         return Ok{};
       }},
      {"key_file", "PEM private key of the certificate",
       [](Config& config, const std::string& value) -> Status {
         config.key_file = value;
         return Ok{};
       }},
      {"rule_packs", "scanner rule packs beside the built-in ones: YAML files, separated by commas",
       set_rule_packs},
      {"access_log", "one line of JSON a request on standard error (true)",
       [](Config& config, const std::string& value) -> Status {
         config.access_log = TRY(yes_or_no(value));
         return Ok{};
       }},
      {"log_level", "debug, info, warning or error (info)", set_log_level},
      {"demo", "people, a project and prompts to play with (false)",
       [](Config& config, const std::string& value) -> Status {
         config.demo = TRY(yes_or_no(value));
         return Ok{};
       }},
      {"admin_password", "password of the first admin, admin@localhost; from the environment only",
       [](Config& config, const std::string& value) -> Status {
         config.admin_password = value;
         return Ok{};
       },
       true},
  };
  return kSettings;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

Result<Config> load_config(const std::map<std::string, std::string>& flags, const std::string& file,
                           const Environment& environment) {
  Config config;
  if (!file.empty()) TRY(apply(config, file + ":", TRY(read_file(file))));
  // Where flags name one kind of database, a lower layer's other kind does not stand beside it.
  const auto replace_database = [&](bool data, bool database) {
    if (data) config.database.clear();
    if (database) config.data.clear();
  };
  std::map<std::string, std::string> from_environment;
  for (const Setting& known : settings()) {
    const auto value = environment(environment_name(known.name));
    if (!value) continue;
    if (known.secret) {
      if (Status done = known.set(config, *value); !done.ok()) return done.error();
    } else {
      from_environment[std::string(known.name)] = *value;
    }
  }
  replace_database(from_environment.contains("data"), from_environment.contains("database"));
  if (from_environment.contains("rule_packs")) config.rule_packs.clear();
  TRY(apply(config, "environment:", from_environment));
  replace_database(flags.contains("data"), flags.contains("database"));
  if (flags.contains("rule_packs")) config.rule_packs.clear();
  TRY(apply(config, "option", flags));
  TRY(check(config));
  return config;
}

}  // namespace imprimatur::server
