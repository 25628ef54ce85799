#include "cli/console.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <poll.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

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

// A terminal without echo while this lives. Signals that end or stop the process are taken here, so that they
// have their effect only after the echo is back.
class SilentTerminal {
 public:
  SilentTerminal() {
    sigemptyset(&watched_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&watched_, signal);
    tcgetattr(STDIN_FILENO, &loud_);
    pthread_sigmask(SIG_BLOCK, &watched_, &mask_before_);
    signals_ = signalfd(-1, &watched_, SFD_CLOEXEC);
    silence();
  }
  ~SilentTerminal() {
    restore();
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    ::close(signals_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  // What was typed up to the end of the line or of the input, without it.
  std::string ask(const std::string& prompt) {
    std::cerr << prompt << std::flush;
    for (;;) {
      std::array<pollfd, 2> waiting{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_, POLLIN, 0}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return {};
      if (waiting[1].revents != 0) {
        obey_signal();
        std::cerr << prompt << std::flush;
      } else if (waiting[0].revents != 0) {
        std::array<char, kMaxSecretBytes + 2> line{};  // a terminal hands over a line at a time
        const ssize_t length = ::read(STDIN_FILENO, line.data(), line.size());
        const std::string text(line.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
        return text.substr(0, text.find('\n'));
      }
    }
  }

 private:
  void silence() const {
    termios silent = loud_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  void restore() const { tcsetattr(STDIN_FILENO, TCSAFLUSH, &loud_); }
  // Returns when the process was stopped and goes on, or ignores the signal.
  void obey_signal() const {
    signalfd_siginfo taken{};
    if (::read(signals_, &taken, sizeof taken) != sizeof taken) return;
    restore();
    std::cerr << "\n";
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, &mask_before_, &blocked);
    raise(static_cast<int>(taken.ssi_signo));
    pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
    silence();
  }

  termios loud_{};
  sigset_t watched_{}, mask_before_{};
  int signals_ = -1;
};

Result<std::string> ask_on_terminal(const std::string& prompt) {
  if (isatty(STDIN_FILENO) == 0) return invalid("there is no terminal to ask on");
  const std::string secret = SilentTerminal().ask(prompt);
  std::cerr << "\n";
  if (secret.empty() || secret.size() > kMaxSecretBytes) return invalid("nothing usable was typed");
  return secret;
}

void append_document(std::string& out, const json::value& value);

void append_members(std::string& out, const json::object& object) {
  char separator = '{';
  for (const auto& member : object) {
    out.push_back(separator);
    append_json_string(out, valid_text(member.key()));
    out.push_back(':');
    append_document(out, member.value());
    separator = ',';
  }
  out += object.empty() ? "{}" : "}";
}

void append_items(std::string& out, const json::array& array) {
  char separator = '[';
  for (const json::value& item : array) {
    out.push_back(separator);
    append_document(out, item);
    separator = ',';
  }
  out += array.empty() ? "[]" : "]";
}

// Numbers as people write them (0.5, not 5E-1) and nothing that is not UTF-8.
void append_document(std::string& out, const json::value& value) {
  if (value.is_object()) {
    append_members(out, value.get_object());
  } else if (value.is_array()) {
    append_items(out, value.get_array());
  } else if (value.is_string()) {
    append_json_string(out, valid_text(value.get_string()));
  } else if (value.is_double() && std::isfinite(value.get_double())) {
    out += ecmascript_number(value.get_double());
  } else {
    out += json::serialize(value);
  }
}

std::optional<std::string> environment_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

}  // namespace

Console process_console() {
  Console console{std::cout, std::cerr};
  const bool dumb = environment_of_process("TERM") == "dumb";
  console.out_terminal = isatty(STDOUT_FILENO) != 0 && !dumb && !environment_of_process("NO_COLOR");
  console.err_terminal = isatty(STDERR_FILENO) != 0 && !dumb;
  console.environment = environment_of_process;
  console.ask_secret = ask_on_terminal;
  return console;
}

std::string valid_text(std::string_view text) {
  std::string out;
  while (const auto bad = first_invalid_utf8(text)) {
    out.append(text.substr(0, *bad)).append("%");
    for (const char digit : to_hex(text.substr(*bad, 1)))
      out.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(digit))));
    text.remove_prefix(*bad + 1);
  }
  return out.append(text);
}

std::string harmless(std::string_view text) {
  std::string out;
  const std::string valid = valid_text(text);
  for (std::size_t at = 0; at < valid.size(); ++at) {
    const auto byte = static_cast<unsigned char>(valid[at]);
    // U+0080 to U+009F are control characters too; in UTF-8 their second byte is their number.
    const bool wide = byte == 0xc2 && static_cast<unsigned char>(valid[at + 1]) < 0xa0;
    if (wide) ++at;
    if (wide || (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f) {
      out += "\\x" + to_hex(std::string_view(valid).substr(at, 1));
    } else {
      out.push_back(valid[at]);
    }
  }
  return out;
}

std::string counted(std::uint64_t number, std::string_view thing) {
  return std::to_string(number) + " " + std::string(thing) + (number == 1 ? "" : "s");
}

std::string Console::painted(Colour colour, std::string_view text) const {
  if (!out_terminal) return std::string(text);
  return code_of(colour) + harmless(text) + "\033[0m";
}

void Console::print(const json::value& document) const {
  std::string text;
  append_document(text, document);
  out << text << "\n";
}

void Console::warn(std::string_view what) const { err << "imprimatur: " << harmless(what) << "\n"; }

void Console::fail(const Error& error) const {
  if (json) {
    json::array reasons(error.reasons.begin(), error.reasons.end()), fields;
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
