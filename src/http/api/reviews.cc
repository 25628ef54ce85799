// /reviews.
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

std::vector<VersionRef> items_of(Fields& fields) {
  std::vector<VersionRef> out;
  if (auto items = fields.objects_if("items")) {
    for (Fields& item : *items) {
      VersionRef ref{{item.text("prompt")}, 0};
      ref.number = item.integer("version");
      out.push_back(std::move(ref));
    }
  }
  return out;
}

// What goes with a decision: why, and of the version that was looked at the digest.
struct Remark {
  std::string comment, digest;
};
Remark remark_of(Fields& fields) {
  Remark remark{fields.text_if("comment").value_or(""), {}};
  remark.digest = fields.text_if("digest", Null::absent).value_or("");
  return remark;
}

Result<Response> changed(RegistryApi api, const Principal& who, const ReviewId& id, int status = 200) {
  return answer(review_json(TRY(api.queries.review(who, id, registry::Sight::own_write))), status);
}

Result<Response> list(RegistryApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  std::optional<ReviewState> state;
  if (const auto name = query.text_if("state")) {
    state = review_state_of(*name);
    if (!state) query.complain("state", "is no state of a review");
  }
  const bool mine = query.flag_if("mine").value_or(false);
  const store::PageRequest at = page(query);
  TRY(query.done());
  const auto found = TRY(api.queries.reviews(who, project, state, mine, at));
  return answer_page(found, review_json);
}

Result<Response> create(RegistryApi api, const Request& request) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string project = fields.text_if("project").value_or("");
  const std::string environment = fields.text("environment");
  if (fields.has("environment") && environment.empty()) {
    fields.complain("environment", "must not be empty");
  }
  const auto items = items_of(fields);
  if (!fields.has("items")) fields.complain("items", "must be there");
  const std::string comment = fields.text_if("comment").value_or("");
  TRY(body.done());
  const ReviewId made = TRY(api.registry.submit(asked, project, environment, items, comment));
  return changed(api, asked.principal, made, 201);
}

Result<Response> get(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  return answer(review_json(TRY(api.queries.review(who, {path["review"]}))));
}

std::map<std::string, registry::Answer> answers_of(Fields& checklist) {
  std::map<std::string, registry::Answer> out;
  std::vector<std::string> ids;
  for (const auto& [id, answer] : checklist.members()) ids.emplace_back(id);
  for (const std::string& id : ids) {
    auto given = checklist.object_if(id);
    if (!given) continue;
    const auto word = registry::answer_of(given->text("answer"));
    if (!word) given->complain("answer", "must be yes, no or not_applicable");
    out[id] = {word.value_or(registry::Answer::Word::no), given->text_if("note").value_or("")};
  }
  return out;
}

Result<Response> verdict(RegistryApi api, const Request& request, const PathArguments& path,
                         VerdictKind kind) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::maybe(request));
  Fields fields = body.fields();
  Remark remark = remark_of(fields);
  registry::WantedVerdict wanted{kind, std::move(remark.comment), std::move(remark.digest), {}};
  if (auto answers = fields.object_if("checklist")) wanted.answers = answers_of(*answers);
  TRY(body.done());
  return changed(api, asked.principal,
                 TRY(api.registry.give_verdict(asked, {path["review"]}, std::move(wanted))));
}

Result<Response> dismiss(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::int64_t verdict = fields.integer("verdict");
  const std::string reason = fields.text_if("reason").value_or("");
  TRY(body.done());
  return changed(api, asked.principal, TRY(api.registry.dismiss(asked, {path["review"]}, verdict, reason)));
}

Result<Response> withdraw(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::maybe(request));
  Fields fields = body.fields();
  const Remark remark = remark_of(fields);
  TRY(body.done());
  return changed(api, asked.principal,
                 TRY(api.registry.withdraw(asked, {path["review"]}, remark.comment, remark.digest)));
}

Result<Response> update(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::maybe(request));
  Fields fields = body.fields();
  const auto items = items_of(fields);
  const Remark remark = remark_of(fields);
  TRY(body.done());
  return changed(api, asked.principal,
                 TRY(api.registry.update(asked, {path["review"]}, items, remark.comment, remark.digest)));
}

Result<Response> comments(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const store::PageRequest at = page(query);
  TRY(query.done());
  const auto found = TRY(api.queries.comments(who, {path["review"]}, at));
  return answer_page(found.page, [&](const Comment& each) { return comment_json(each, found.displays); });
}

Result<Response> comment(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string text = fields.text("comment");
  const std::string digest = fields.text_if("digest", Null::absent).value_or("");
  TRY(body.done());
  const std::string id = TRY(api.registry.comment(asked, {path["review"]}, text, digest));
  const auto made = TRY(api.queries.comment(asked.principal, {path["review"]}, id));
  return answer(comment_json(made.page.items.front(), made.displays), 201);
}

}  // namespace

void add_review_routes(Router& router, RegistryApi api) {
  const std::string one = "/api/v1/reviews/{review}";
  router.add({Method::get, "/api/v1/reviews",
              [api](const Request& request, const PathArguments&) { return list(api, request); }});
  router.add({Method::post, "/api/v1/reviews",
              [api](const Request& request, const PathArguments&) { return create(api, request); }});
  router.add({Method::get, one,
              [api](const Request& request, const PathArguments& path) { return get(api, request, path); }});
  const auto add_verdict = [&](const std::string& word, VerdictKind kind) {
    router.add(
        {Method::post, one + "/" + word, [api, kind](const Request& request, const PathArguments& path) {
           return verdict(api, request, path, kind);
         }});
  };
  add_verdict("approve", VerdictKind::approve);
  add_verdict("reject", VerdictKind::reject);
  add_verdict("request-changes", VerdictKind::request_changes);
  router.add({Method::post, one + "/dismiss", [api](const Request& request, const PathArguments& path) {
                return dismiss(api, request, path);
              }});
  router.add({Method::post, one + "/withdraw", [api](const Request& request, const PathArguments& path) {
                return withdraw(api, request, path);
              }});
  router.add({Method::post, one + "/update", [api](const Request& request, const PathArguments& path) {
                return update(api, request, path);
              }});
  router.add({Method::get, one + "/comments", [api](const Request& request, const PathArguments& path) {
                return comments(api, request, path);
              }});
  router.add({Method::post, one + "/comments", [api](const Request& request, const PathArguments& path) {
                return comment(api, request, path);
              }});
}

}  // namespace imprimatur::http
