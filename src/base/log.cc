#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace imprimatur {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made =
        std::make_shared<spdlog::logger>("imprimatur", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void set_log_level(LogLevel level) { logger().set_level(level_of(level)); }

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!logger().should_log(level_of(level))) return;
  std::string line = "{\"time\":\"" + to_rfc3339(SystemClock().now()) + "\",\"level\":\"" +
                     std::string(spdlog::level::to_string_view(level_of(level)).data()) + "\",\"event\":";
  append_json_string(line, event);
  for (const auto& [name, value] : fields) {
    line.push_back(',');
    append_json_string(line, name);
    line.push_back(':');
    append_json_string(line, value);
  }
  line.push_back('}');
  logger().log(level_of(level), "{}", line);
}

void log_line(std::string_view json) { logger().log(spdlog::level::info, "{}", json); }

}  // namespace imprimatur
