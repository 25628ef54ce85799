#include "cli/console.h"

#include "base/hash.h"

#include <cstdlib>
#include <iostream>
#include <termios.h>
#include <unistd.h>

#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

constexpr std::size_t kMaxSecretBytes = 1024;
constexpr int kBarCells = 30;

const char* code_of(Colour colour) {
  switch (colour) {
    case Colour::red: return "\033[31m";
    case Colour::green: return "\033[32m";
    case Colour::cyan: return "\033[36m";
    case Colour::yellow: return "\033[33m";
    case Colour::bold: return "\033[1m";
  }
  CHECK(false, "unknown colour");
}

Result<std::string> ask_on_terminal(const std::string& prompt) {
  if (isatty(STDIN_FILENO) == 0) return invalid("no terminal to ask for a secret; set it in the environment");
  termios before{};
  tcgetattr(STDIN_FILENO, &before);
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  std::cerr << prompt << std::flush;
  std::string secret;
  std::getline(std::cin, secret);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::cerr << "\n";
  if (secret.empty() || secret.size() > kMaxSecretBytes) return invalid("nothing usable was typed");
  return secret;
}

}  // namespace

Console process_console() {
  Console console{std::cout, std::cerr};
  console.out_terminal = isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr;
  console.err_terminal = isatty(STDERR_FILENO) != 0;
  console.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  };
  console.ask_secret = ask_on_terminal;
  return console;
}

std::string harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x1b || (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) {
      out += "\\x";
      out += to_hex(std::string_view(&c, 1));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string Console::painted(Colour colour, std::string_view text) const {
  if (!out_terminal) return std::string(text);
  return code_of(colour) + harmless(text) + "\033[0m";
}

void Console::print(const boost::json::value& document) const {
  out << boost::json::serialize(document) << "\n";
}

void Console::fail(const Error& error) const {
  if (json) {
    boost::json::array reasons(error.reasons.begin(), error.reasons.end()), fields;
    for (const FieldError& field : error.fields) {
      fields.push_back({{"field", field.field}, {"message", field.message}});
    }
    print({{"error",
            {{"code", name_of(error.code)},
             {"detail", error.detail},
             {"errors", std::move(fields)},
             {"reasons", std::move(reasons)}}}});
    return;
  }
  err << "imprimatur: " << harmless(error.detail) << "\n";
  for (const std::string& reason : error.reasons) err << "  - " << harmless(reason) << "\n";
  if (error.fields.size() > 1) {
    for (const FieldError& field : error.fields) {
      err << "  - " << harmless(field.field) << ": " << harmless(field.message) << "\n";
    }
  }
}

ProgressBar::ProgressBar(const Console& console, std::string label)
    : console_(console), label_(std::move(label)) {}

ProgressBar::~ProgressBar() {
  if (drawn_ >= 0) console_.err << "\r\033[K" << std::flush;
}

void ProgressBar::show(std::uint64_t done, std::uint64_t total) {
  if (!console_.err_terminal || total == 0) return;
  const int permille = static_cast<int>(std::min(done, total) * 1000 / total);
  if (permille == drawn_) return;
  drawn_ = permille;
  const int cells = permille * kBarCells / 1000;
  console_.err << "\r" << label_ << " [" << std::string(static_cast<std::size_t>(cells), '#')
               << std::string(static_cast<std::size_t>(kBarCells - cells), ' ') << "] " << done << "/"
               << total << std::flush;
}

}  // namespace imprimatur::cli
