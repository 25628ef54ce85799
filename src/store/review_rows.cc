// Reviews with their items, verdicts and comments.
#include "store/cursor.h"
#include "store/query.h"
#include "store/registry_rows.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kReview =
    "SELECT r.id, r.project, r.environment, r.state, r.cycle, r.protection_version, r.submitted_by, "
    "r.comment, "
    "r.created_at, r.changed_at, r.number, r.salt FROM reviews r";

struct NumberedReview {
  Review review;
  std::int64_t number = 0;  // in the project, in the order in which they were submitted
};

NumberedReview review_in(const Row& row) {
  NumberedReview found;
  Review& review = found.review;
  review.id = {row.text(0)};
  review.project = {row.text(1)};
  review.environment = {row.text(2)};
  review.state = stored(review_state_of(row.text(3)), row.text(3));
  review.cycle = row.integer(4);
  review.protection_version = row.integer(5);
  review.submitted_by = {row.text(6)};
  review.comment = row.text(7);
  review.created_at = row.time(8);
  review.changed_at = row.time(9);
  found.number = row.integer(10);
  review.salt = row.text(11);
  return found;
}

void read_items(Tx& tx, Review& review) {
  review.items = tx.database().all(
      "SELECT artifact, version, digest, base FROM review_items WHERE project = ? AND review = ? AND cycle = "
      "? "
      "ORDER BY position",
      [](const Row& row) {
        return ReviewItem{{row.text(0)}, row.integer(1), row.text(2), {row.text(3)}};
      },
      review.project, review.id, review.cycle);
}

void keep_items(Tx& tx, const Review& review) {
  std::int64_t position = 0;
  for (const ReviewItem& item : review.items) {
    tx.database().exec(
        "INSERT INTO review_items (project, review, cycle, position, artifact, version, digest, base) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project, review, cycle, position) DO NOTHING",
        review.project, review.id, review.cycle, position++, item.artifact, item.version, item.digest,
        item.base);
  }
}

}  // namespace

void insert_review(Tx& tx, const Review& review) {
  tx.database().exec(
      "INSERT INTO reviews (project, id, number, environment, state, cycle, protection_version, "
      "submitted_by, "
      "comment, created_at, changed_at, salt) SELECT ?, ?, coalesce(max(r.number), 0) + 1, ?, ?, ?, ?, ?, ?, "
      "?, ?, ? "
      "FROM reviews r WHERE r.project = ?",
      review.project, review.id, review.environment, name_of(review.state), review.cycle,
      review.protection_version, review.submitted_by, review.comment, review.created_at, review.changed_at,
      review.salt, review.project);
  keep_items(tx, review);
}

void put_review(Tx& tx, const Review& review) {
  tx.database().exec(
      "UPDATE reviews SET state = ?, cycle = ?, protection_version = ?, submitted_by = ?, comment = ?, "
      "changed_at = ? WHERE project = ? AND id = ?",
      name_of(review.state), review.cycle, review.protection_version, review.submitted_by, review.comment,
      review.changed_at, review.project, review.id);
  keep_items(tx, review);
}

std::optional<Review> review(Tx& tx, const ReviewId& id) {
  static const std::string sql = joined(kReview, " WHERE r.id = ?");
  std::optional<NumberedReview> found = tx.database().one(sql, review_in, id);
  if (!found) return std::nullopt;
  read_items(tx, found->review);
  return std::move(found->review);
}

Result<Page<Review>> reviews(Tx& tx, const ReviewQuery& query, const PageRequest& page) {
  const std::int64_t below = TRY(number_after(page, kNewest));
  Query select(kReview);
  select.where("r.project = ?", query.project).where("r.number < ?", below);
  if (query.state) select.where("r.state = ?", name_of(*query.state));
  if (!query.submitted_by.empty()) select.where("r.submitted_by = ?", query.submitted_by);
  if (!query.artifact.empty()) {
    select.where("r.id IN (SELECT i.review FROM review_items i WHERE i.project = ? AND i.artifact = ?)",
                 query.project, query.artifact);
  }
  if (!query.environment.empty()) select.where("r.environment = ?", query.environment);
  select.order("r.number DESC", page.limit);
  Page<NumberedReview> numbered =
      paged(select.all(tx.database(), review_in), page, [](const NumberedReview& r) { return r.number; });
  Page<Review> out{{}, numbered.next_cursor};
  for (NumberedReview& found : numbered.items) {
    read_items(tx, found.review);
    out.items.push_back(std::move(found.review));
  }
  return out;
}

std::vector<Review> reviews_of(Tx& tx, const ArtifactId& artifact, std::int64_t version) {
  static const std::string sql = joined(
      kReview,
      " WHERE r.project = (SELECT project FROM artifacts WHERE id = ?) AND r.id IN (SELECT i.review FROM "
      "review_items i WHERE i.project = (SELECT project FROM artifacts WHERE id = ?) AND i.artifact = ? "
      "AND i.version = ?) ORDER BY r.number DESC");
  std::vector<Review> out;
  for (NumberedReview& found : tx.database().all(sql, review_in, artifact, artifact, artifact, version)) {
    read_items(tx, found.review);
    out.push_back(std::move(found.review));
  }
  return out;
}

std::optional<ReviewId> standing_review(Tx& tx, const ProjectId& project, const EnvironmentId& environment) {
  return tx.database().one(
      "SELECT id FROM reviews WHERE project = ? AND state IN ('open', 'approved') AND environment = ? "
      "ORDER BY number LIMIT 1",
      [](const Row& row) { return ReviewId{row.text(0)}; }, project, environment);
}

void insert_verdict(Tx& tx, const Verdict& verdict) {
  tx.database().exec(
      "INSERT INTO verdicts (project, review, number, cycle, given_by, kind, environment, items_digest, "
      "base_digest, protection_version, comment, given_at, salt) SELECT r.project, r.id, (SELECT "
      "coalesce(max(v.number), 0) + 1 FROM verdicts v WHERE v.project = r.project AND v.review = r.id), ?, "
      "?, ?, "
      "?, ?, ?, ?, ?, ?, ? FROM reviews r WHERE r.id = ?",
      verdict.cycle, verdict.by, name_of(verdict.kind), verdict.environment, verdict.items_digest,
      verdict.base_digest, verdict.protection_version, verdict.comment, verdict.at, verdict.salt,
      verdict.review);
  if (verdict.checklist.empty()) return;
  tx.database().exec(
      "INSERT INTO checklist_answers (project, review, verdict, checklist, answers, salt) SELECT v.project, "
      "v.review, max(v.number), ?, ?, ? FROM verdicts v WHERE v.project = (SELECT project FROM reviews WHERE "
      "id = ?) AND v.review = ? GROUP BY v.project, v.review",
      verdict.checklist, verdict.answers, verdict.salt, verdict.review, verdict.review);
}

std::vector<Verdict> verdicts(Tx& tx, const ReviewId& review) {
  return tx.database().all(
      "SELECT v.review, v.cycle, v.given_by, v.kind, v.environment, v.items_digest, v.base_digest, "
      "v.protection_version, v.comment, v.given_at, v.salt, coalesce(a.checklist, ''), "
      "coalesce(a.answers, ''), v.number FROM verdicts v LEFT JOIN checklist_answers a ON a.project = "
      "v.project AND a.review = v.review AND a.verdict = v.number WHERE v.project = (SELECT project FROM "
      "reviews WHERE id = ?) AND v.review = ? ORDER BY v.number",
      [](const Row& row) {
        return Verdict{
            {row.text(0)}, row.integer(1), {row.text(2)}, stored(verdict_kind_of(row.text(3)), row.text(3)),
            {row.text(4)}, row.text(5),    row.text(6),   row.integer(7),
            row.text(8),   row.time(9),    row.text(10),  row.text(11),
            row.text(12),  row.integer(13)};
      },
      review, review);
}

void insert_comment(Tx& tx, const Comment& comment) {
  tx.database().exec(
      "INSERT INTO comments (project, review, number, id, cycle, given_by, body, given_at, salt) SELECT "
      "r.project, "
      "r.id, (SELECT coalesce(max(c.number), 0) + 1 FROM comments c WHERE c.project = r.project "
      "AND c.review = r.id), ?, ?, ?, ?, ?, ? FROM reviews r WHERE r.id = ?",
      comment.id, comment.cycle, comment.by, comment.text, comment.at, comment.salt, comment.review);
}

Result<Page<Comment>> comments(Tx& tx, const ReviewId& review, const PageRequest& page) {
  const std::int64_t after = TRY(number_after(page, 0));
  struct NumberedComment {
    Comment comment;
    std::int64_t number;
  };
  Query select("SELECT id, review, cycle, given_by, body, given_at, salt, number FROM comments");
  select.where("project = (SELECT project FROM reviews WHERE id = ?)", review)
      .where("review = ?", review)
      .where("number > ?", after)
      .order("number", page.limit);
  const auto rows = select.all(tx.database(), [](const Row& row) {
    return NumberedComment{
        {row.text(0), {row.text(1)}, row.integer(2), {row.text(3)}, row.text(4), row.time(5), row.text(6)},
        row.integer(7)};
  });
  const auto numbered = paged(rows, page, [](const NumberedComment& c) { return c.number; });
  Page<Comment> out{{}, numbered.next_cursor};
  for (const NumberedComment& found : numbered.items) out.items.push_back(found.comment);
  return out;
}

std::optional<Comment> comment(Tx& tx, const ReviewId& review, std::string_view id) {
  return tx.database().one(
      "SELECT id, review, cycle, given_by, body, given_at, salt FROM comments "
      "WHERE project = (SELECT project FROM reviews WHERE id = ?) AND review = ? AND id = ?",
      [](const Row& row) {
        return Comment{row.text(0), {row.text(1)}, row.integer(2), {row.text(3)},
                       row.text(4), row.time(5),   row.text(6)};
      },
      review, review, std::string(id));
}

}  // namespace imprimatur::store
