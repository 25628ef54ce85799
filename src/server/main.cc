#include "cli/cli.h"
#include "server/config.h"
#include "server/secrets.h"
#include "server/serve.h"

#include <algorithm>
#include <filesystem>

namespace imprimatur::server {
namespace {

std::string swapped(std::string_view name, char from, char to) {
  std::string out(name);
  std::replace(out.begin(), out.end(), from, to);
  return out;
}

Status serve_with(const std::map<std::string, std::string>& options, const std::string& file, bool json) {
  std::map<std::string, std::string> flags;
  for (const auto& [name, value] : options) flags[swapped(name, '-', '_')] = value;
  const Config config = TRY(load_config(flags, file, process_environment()));
  return serve(config, json ? Speech::json : Speech::text);
}

// Of the secret that the server of the directory made.
Result<std::string> signing_seed(const std::string& directory) {
  const auto named = process_environment()("IMPRIMATUR_SECRET_FILE");
  const std::string path = named.value_or(directory + "/secret");
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return invalid("there is no secret file " + path + "; IMPRIMATUR_SECRET_FILE says where it is");
  }
  return TRY(load_secrets(path)).signing_seed;
}

cli::Program program() {
  cli::Program out;
  for (const Setting& setting : settings()) {
    if (setting.secret) continue;
    out.serve_options.push_back(
        {swapped(setting.name, '_', '-'), std::string(setting.says), setting.name == "demo"});
  }
  out.serve = serve_with;
  out.signing_seed = signing_seed;
  return out;
}

}  // namespace
}  // namespace imprimatur::server

int main(int argc, char** argv) {
  imprimatur::cli::Console console = imprimatur::cli::process_console();
  return imprimatur::cli::run(argc, argv, imprimatur::server::program(), console);
}
