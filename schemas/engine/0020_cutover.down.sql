DROP FUNCTION cdc.route(bigint, bigint, text);
DROP FUNCTION cdc.card_share(bigint, text, bigint);
DROP VIEW cdc.routes;
DROP TABLE cdc.cutover_shadow, cdc.cutover_approvals, cdc.cutover_changes, cdc.cutover_scopes, cdc.cutover_plans;
