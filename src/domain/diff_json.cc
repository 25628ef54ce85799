#include "domain/diff_json.h"

#include "base/json.h"

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

json::value line_number(int line) { return line > 0 ? json::value(line) : json::value(); }

json::value number_or_null(const std::optional<double>& number) {
  return number ? json::value(*number) : json::value();
}

json::value text_or_null(const std::string& text) { return text.empty() ? json::value() : json::value(text); }

json::value model_json(const std::optional<ModelBinding>& model) {
  if (!model) return nullptr;
  return json::object{{"provider", text_or_null(model->provider)},
                      {"name", model->name},
                      {"temperature", number_or_null(model->temperature)},
                      {"topP", number_or_null(model->top_p)},
                      {"maxTokens", model->max_tokens ? json::value(*model->max_tokens) : json::value()}};
}

json::object hunk_json(const DiffHunk& hunk) {
  json::array lines;
  for (const DiffLine& line : hunk.lines) {
    lines.push_back(json::object{{"origin", std::string_view(&line.origin, 1)},
                                 {"fromLine", line_number(line.from_line)},
                                 {"toLine", line_number(line.to_line)},
                                 {"text", line.text}});
  }
  return {{"fromStart", hunk.from_start},
          {"fromLines", hunk.from_lines},
          {"toStart", hunk.to_start},
          {"toLines", hunk.to_lines},
          {"lines", std::move(lines)}};
}

}  // namespace

json::object to_json(const Variable& variable) {
  json::object out{{"name", variable.name},
                   {"type", name_of(variable.type)},
                   {"required", variable.required},
                   {"default", nullptr},
                   {"description", text_or_null(variable.description)}};
  if (!variable.default_json.empty()) out["default"] = parse_json(variable.default_json).value();
  return out;
}

json::array to_json(const std::vector<Variable>& variables) {
  json::array out;
  for (const Variable& variable : variables) out.push_back(to_json(variable));
  return out;
}

json::object to_json(const VersionDiff& diff) {
  json::array hunks, words, changed;
  for (const DiffHunk& hunk : diff.hunks) hunks.push_back(hunk_json(hunk));
  for (const DiffWord& word : diff.words) {
    words.push_back(json::object{{"origin", std::string_view(&word.origin, 1)},
                                 {"start", word.begin},
                                 {"end", word.end},
                                 {"text", word.text}});
  }
  for (const VariableChange& change : diff.variables_changed) {
    changed.push_back(json::object{{"from", to_json(change.before)}, {"to", to_json(change.after)}});
  }
  return {{"hunks", std::move(hunks)},
          {"words", std::move(words)},
          {"variables",
           {{"added", to_json(diff.variables_added)},
            {"removed", to_json(diff.variables_removed)},
            {"changed", std::move(changed)}}},
          {"model",
           {{"changed", diff.model_changed},
            {"from", model_json(diff.model_before)},
            {"to", model_json(diff.model_after)}}},
          {"fields", json::array(diff.fields_changed.begin(), diff.fields_changed.end())},
          {"semverBump", name_of(diff.bump)}};
}

}  // namespace imprimatur
