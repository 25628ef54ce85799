#include "cli/front_matter.h"

#include "base/utf8.h"
#include "cli/prompt_file.h"

#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kFence = "---";

// The line that begins at `at`, without its end, and where the next begins.
struct Line {
  std::string_view text;
  std::size_t next;
};
Line line_at(std::string_view text, std::size_t at) {
  const std::size_t end = text.find('\n', at);
  std::string_view line = text.substr(at, end == text.npos ? text.npos : end - at);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return {line, end == text.npos ? text.size() : end + 1};
}

Error at_line(const YAML::Mark& mark, const std::string& what) {
  // The fence is line 1 of the file, and marks count from 0.
  return invalid("front matter, line " + std::to_string(mark.line + 2) + ", column " +
                 std::to_string(mark.column + 1) + ": " + what);
}

json::value number_or_text(const std::string& text) {
  const std::string_view digits =
      std::string_view(text).substr(text.starts_with('-') || text.starts_with('+') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789.eE+-") != digits.npos) return json::value(text);
  if (digits[0] < '0' || digits[0] > '9') return json::value(text);
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto [at, error] = std::from_chars(begin, end, integer); error == std::errc{} && at == end)
    return integer;
  double number = 0;
  if (const auto [at, error] = std::from_chars(begin, end, number);
      error == std::errc{} && at == end && std::isfinite(number)) {
    return number;
  }
  return json::value(text);
}

json::value plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return number_or_text(text);
}

// Builds JSON from events, so that nothing grows before it was counted and no alias is ever followed.
class Builder final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(mark, nullptr); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse(mark, "aliases are not allowed"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    // An escape can write what the file itself may not hold.
    if (value.find('\0') != value.npos) refuse(mark, "U+0000 is not allowed in text");
    if (first_invalid_utf8(value)) refuse(mark, "an escape is no character");
    if (!open_.empty() && open_.back().wants_key) return key(mark, value);
    add(mark, tag == "?" || tag.empty() ? plain_scalar(value) : json::value(value));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    begin(mark, json::array(), false);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    begin(mark, json::object(), true);
  }
  void OnMapEnd() override { end(); }

  struct Refused {
    Error error;
  };
  json::value root;

 private:
  struct Open {
    json::value value;
    bool wants_key = false;
    std::string key;
    YAML::Mark mark;
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& what) {
    throw Refused{at_line(mark, what)};
  }

  void key(const YAML::Mark& mark, const std::string& name) {
    Open& map = open_.back();
    if (map.value.get_object().contains(name)) refuse(mark, "\"" + name + "\" appears twice");
    map.key = name;
    map.wants_key = false;
  }
  void begin(const YAML::Mark& mark, json::value value, bool map) {
    if (!open_.empty() && open_.back().wants_key) refuse(mark, "a key must be a word");
    if (open_.size() >= kMaxFrontMatterDepth) refuse(mark, "nested too deeply");
    open_.push_back({std::move(value), map, {}, mark});
  }
  void end() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(done.mark, std::move(done.value));
  }
  void add(const YAML::Mark& mark, json::value value) {
    if (++values_ > kMaxFrontMatterValues) refuse(mark, "too many values");
    if (open_.empty()) {
      root = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.value.is_array()) {
      parent.value.get_array().push_back(std::move(value));
      return;
    }
    if (parent.wants_key) refuse(mark, "a key must be a word");
    parent.value.get_object()[parent.key] = std::move(value);
    parent.wants_key = true;
  }

  std::vector<Open> open_;
  std::size_t values_ = 0;
};

}  // namespace

bool begins_front_matter(std::string_view text) { return !text.empty() && line_at(text, 0).text == kFence; }

Result<FrontMatter> split_front_matter(std::string_view text) {
  const std::size_t begin = line_at(text, 0).next;
  for (std::size_t at = begin; at < text.size();) {
    const Line line = line_at(text, at);
    if (line.text == kFence) {
      if (at - begin > kMaxFrontMatterBytes) return too_large("the front matter is too large");
      return FrontMatter{text.substr(begin, at - begin), text.substr(line.next)};
    }
    at = line.next;
  }
  return invalid("the front matter that begins on line 1 is never closed by a line \"---\"");
}

Result<json::value> yaml_to_json(std::string_view yaml) {
  std::istringstream input{std::string(yaml)};
  Builder builder;
  try {
    YAML::Parser parser(input);
    if (!parser.HandleNextDocument(builder)) return json::value();
    Builder more;
    if (parser.HandleNextDocument(more)) return invalid("the front matter holds more than one document");
  } catch (const Builder::Refused& refused) {
    return refused.error;
  } catch (const YAML::Exception& error) {
    return at_line(error.mark, error.msg);
  }
  return std::move(builder.root);
}

}  // namespace imprimatur::cli
