#include "scan/view.h"

namespace imprimatur::scan {

TemplateView view_of(const Content& content, std::string_view digest) {
  TemplateView view;
  view.digest = digest;
  switch (content.type) {
    case ContentType::text:
      view.form = content.kind == ArtifactKind::policy ? TemplateForm::policy : TemplateForm::text;
      view.parts.push_back({{}, content.text});
      break;
    case ContentType::chat:
      view.form = TemplateForm::chat;
      for (const Message& message : content.messages)
        view.parts.push_back({name_of(message.role), message.content});
      break;
  }
  for (const Variable& variable : content.variables)
    view.variables.push_back(
        {variable.name, name_of(variable.type), variable.description, Trust::unknown, variable.default_json});
  if (content.model) {
    view.model_provider = content.model->provider;
    view.model_name = content.model->name;
  }
  view.tools_json = content.tools;
  view.config_json = content.config;
  view.output_schema_json = content.output_schema;
  return view;
}

}  // namespace imprimatur::scan
