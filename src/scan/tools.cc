// What the tools of a prompt allow.
#include "base/json.h"
#include "scan/document.h"
#include "scan/predicates.h"

#include <algorithm>
#include <array>
#include <functional>

#include <boost/json.hpp>

namespace imprimatur::scan {
namespace {

struct Tool {
  std::string name;
  const boost::json::object* parameters = nullptr;  // null: none declared
  std::size_t text = 0;
  std::size_t start = 0;  // of its name in the text
  std::size_t end = 0;
};

std::optional<std::size_t> tools_text(const Document& document) {
  for (std::size_t i = 0; i < document.texts.size(); ++i)
    if (document.texts[i].location == "tools") return i;
  return std::nullopt;
}

const boost::json::object* object_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

// Tools as the providers write them: {name, parameters}, {type:"function", function:{...}}, {name,
// input_schema}.
std::vector<Tool> tools_in(const boost::json::value& root, std::size_t index, std::string_view raw) {
  std::vector<Tool> tools;
  const boost::json::array* list = root.if_array();
  if (list == nullptr) return tools;
  std::size_t from = 0;
  for (const boost::json::value& item : *list) {
    const boost::json::object* tool = item.if_object();
    if (tool == nullptr) continue;
    if (const auto* function = object_at(*tool, "function")) tool = function;
    const boost::json::value* name = tool->if_contains("name");
    if (name == nullptr || !name->is_string()) continue;
    Tool out;
    out.name = std::string(name->as_string());
    out.text = index;
    for (const std::string_view key : {"parameters", "input_schema", "inputSchema"})
      if (const auto* schema = object_at(*tool, key); schema != nullptr && out.parameters == nullptr)
        out.parameters = schema;
    const std::size_t found = raw.find('"' + out.name + '"', from);
    out.start = found == std::string_view::npos ? 0 : found;
    out.end = found == std::string_view::npos ? raw.size() : found + out.name.size() + 2;
    if (found != std::string_view::npos) from = out.end;
    tools.push_back(std::move(out));
  }
  return tools;
}

void each_tool(const Document& document, const std::function<void(const Tool&)>& each) {
  const auto index = tools_text(document);
  if (!index) return;
  const Text& text = document.texts[*index];
  const auto root = parse_json(text.source);
  if (!root.ok()) return;
  for (const Tool& tool : tools_in(*root, *index, text.raw)) each(tool);
}

}  // namespace

void free_form_parameter(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  each_tool(document, [&](const Tool& tool) {
    const auto* properties = tool.parameters == nullptr ? nullptr : object_at(*tool.parameters, "properties");
    if (properties == nullptr) return;
    for (const auto& property : *properties) {
      const std::string_view name(property.key().data(), property.key().size());
      const auto* schema = property.value().if_object();
      if (schema == nullptr || std::find(rule.words.begin(), rule.words.end(), name) == rule.words.end())
        continue;
      const auto* type = schema->if_contains("type");
      if (type == nullptr || !type->is_string() || type->as_string() != "string") continue;
      if (schema->contains("enum") || schema->contains("pattern") || schema->contains("const")) continue;
      out.push_back({tool.text,
                     tool.start,
                     tool.end,
                     rule.severity,
                     Framing::active,
                     "The parameter \"" + std::string(name) + "\" of " + tool.name + " takes any text.",
                     {}});
    }
  });
}

void open_tool_schema(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  each_tool(document, [&](const Tool& tool) {
    std::string missing;
    const auto* properties = tool.parameters == nullptr ? nullptr : object_at(*tool.parameters, "properties");
    if (properties == nullptr || properties->empty()) return;
    const auto* closed = tool.parameters->if_contains("additionalProperties");
    if (closed == nullptr || !closed->is_bool() || closed->as_bool()) missing = "additionalProperties: false";
    if (!tool.parameters->contains("required")) missing += missing.empty() ? "required" : ", required";
    if (missing.empty()) return;
    out.push_back({tool.text,
                   tool.start,
                   tool.end,
                   rule.severity,
                   Framing::active,
                   "Missing in " + tool.name + ": " + missing + ".",
                   {}});
  });
}

}  // namespace imprimatur::scan
