// Where a command writes: results to standard output, everything else to standard error, colour and progress
// only for people.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::cli {

enum class Colour { red, green, cyan, yellow, bold };

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool out_terminal = false;
  bool err_terminal = false;
  bool json = false;  // --json: one document on `out`, nothing else there
  std::function<std::optional<std::string>(const std::string&)> environment;
  // Asks on the terminal without echo; an error where there is none.
  std::function<Result<std::string>(const std::string& prompt)> ask_secret;

  void print(const boost::json::value& document) const;
  void fail(const Error& error) const;
  void warn(std::string_view what) const;
  // `text` in a colour where people look at it. Control characters in it become visible ones.
  std::string painted(Colour colour, std::string_view text) const;
};

// The process's own streams.
Console process_console();

// The text, with bytes that are not UTF-8 as %XX: names of files may hold any.
std::string valid_text(std::string_view text);
// The same, and without the control characters that a terminal would obey.
std::string harmless(std::string_view text);
// "1 prompt", "2 prompts".
std::string counted(std::uint64_t number, std::string_view thing);

// A bar on standard error while it lives; nothing where that is no terminal.
class ProgressBar {
 public:
  ProgressBar(const Console& console, std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  void show(std::uint64_t done, std::uint64_t total);

 private:
  const Console& console_;
  std::string label_;
  int drawn_ = -1;  // permille
};

}  // namespace imprimatur::cli
