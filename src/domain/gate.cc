// The gate answer. Every rule here errs on the side of "no".
#include "domain/gate.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "domain/gate_people.h"
#include "domain/gate_rules.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

// A change set of many items fails in many ways; what does not fit is left to the answers for its single
// items.
constexpr std::size_t kMaxDetailBytes = 2000;
constexpr std::string_view kCutShort = " ...";
constexpr std::string_view kItemsTag = "imprimatur-items-v1\n";

void cut_short(std::string& text) {
  if (text.size() <= kMaxDetailBytes) return;
  std::size_t end = kMaxDetailBytes - kCutShort.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // between characters
  text.resize(end);
  text += kCutShort;
}

void append_bool(std::string& out, std::string_view name, bool value) {
  append_json_string(out, name);
  out += value ? ":true" : ":false";
}

}  // namespace

std::vector<std::string> GateAnswer::reasons() const {
  std::vector<std::string> out;
  for (const Requirement& requirement : requirements) {
    if (!requirement.met) out.push_back(requirement.detail);
  }
  return out;
}

bool GateAnswer::met_at(Stage stage) const {
  return std::all_of(requirements.begin(), requirements.end(), [&](const Requirement& requirement) {
    return requirement.met || requirement.stage > stage;
  });
}

GateAnswer gate(const GateFacts& facts) {
  GateAnswer answer;
  const auto add = [&](Requirement requirement) { answer.requirements.push_back(std::move(requirement)); };
  const Demands demands(facts);
  if (facts.items.empty() || facts.items_digest != items_digest_of(facts.items)) {
    add({"items", false, "there is no change set that this answer could be about", {}, Stage::submission});
  }
  for (Requirement& one : people_requirements(facts, demands, answer.unsatisfiable)) add(std::move(one));
  if (Requirement content = intact_requirement(facts); !content.met) add(std::move(content));
  for (const std::string& name : demands.checks) add(check_requirement(name, facts, demands));
  if (!demands.shapes.empty()) add(shape_requirement(facts, demands));
  if (!demands.models.empty()) add(model_requirement(facts, demands));
  if (auto layers = layers_requirement(facts)) add(*std::move(layers));
  if (!demands.paths.empty()) add(path_requirement(facts, demands));
  if (!facts.now.windows.empty()) add(freeze_requirement(facts));
  for (const std::string& kind : demands.unknown) {
    answer.unsatisfiable = true;
    add({kind,
         false,
         "this program does not know the requirement " + kind + "; a newer one may, or an admin removes it",
         {},
         Stage::submission});
  }
  for (Requirement& requirement : answer.requirements) cut_short(requirement.detail);
  answer.met = answer.met_at(Stage::deploy);
  return answer;
}

std::vector<Question> checklist_of(const GateFacts& facts) { return Demands(facts).checklist; }

std::string canonical_gate(const GateAnswer& answer) {
  std::string out = "{";
  append_bool(out, "met", answer.met);
  out += ",\"requirements\":[";
  for (const Requirement& requirement : answer.requirements) {
    if (out.back() == '}') out.push_back(',');
    out += "{\"detail\":";
    append_json_string(out, requirement.detail);
    out += ",\"kind\":";
    append_json_string(out, requirement.kind);
    out.push_back(',');
    append_bool(out, "met", requirement.met);
    out += ",\"verdicts\":[";
    for (const VerdictAnswer& verdict : requirement.verdicts) {
      if (out.back() == '}') out.push_back(',');
      out += "{\"by\":";
      append_json_string(out, verdict.by.text);
      out.push_back(',');
      append_bool(out, "counts", verdict.counts);
      out += ",\"why\":";
      append_json_string(out, verdict.why);
      out.push_back('}');
    }
    out += "]}";
  }
  out += "],";
  append_bool(out, "unsatisfiable", answer.unsatisfiable);
  return out + "}";
}

bool is_canonical_gate(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_object()) return false;
  const auto written = canonical_json(*parsed);
  if (!written.ok() || *written != text) return false;
  const auto list = [](const json::value& of, std::string_view name) {
    const json::value* found = of.is_object() ? of.get_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_array() ? &found->get_array() : nullptr;
  };
  const auto names_giver = [](const json::value& verdict) {
    const json::value* by = verdict.is_object() ? verdict.get_object().if_contains("by") : nullptr;
    return by != nullptr && by->is_string();
  };
  const json::array* requirements = list(*parsed, "requirements");
  return requirements != nullptr &&
         std::all_of(requirements->begin(), requirements->end(), [&](const json::value& requirement) {
           const json::array* verdicts = list(requirement, "verdicts");
           return verdicts != nullptr && std::all_of(verdicts->begin(), verdicts->end(), names_giver);
         });
}

std::string items_digest_of(const std::vector<GateItem>& items) {
  std::vector<std::string> lines;
  for (const GateItem& item : items) {
    lines.push_back(item.artifact.text + " " + std::to_string(item.version) + " " + item.digest + "\n");
  }
  // The order in which somebody listed them says nothing.
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  hash.add(kItemsTag);
  for (const std::string& line : lines) hash.add(line);
  return "sha256:" + to_hex(hash.finish());
}

}  // namespace imprimatur
