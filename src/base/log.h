// The program's own log: one line of JSON an event on standard error. Never pass a secret, a prompt's text or
// a person's e-mail; ids and digests only.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace imprimatur {

enum class LogLevel { debug, info, warning, error };

using LogField = std::pair<std::string_view, std::string>;

void set_log_level(LogLevel level);
// Safe from any thread. `event` is a fixed word such as "journal_broken"; what varies goes into fields.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
// One line, already JSON, as it is (access log).
void log_line(std::string_view json);

}  // namespace imprimatur
