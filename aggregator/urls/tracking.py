"""Parameters that say how a reader came, not what is read.

After the lists that browsers and blockers keep: AdGuard's TrackParamFilter
(general_url.txt), ClearURLs' global rules and Firefox's query stripping list; the
French ones after the addresses that French outlets put in feeds and newsletters. Not
taken over from them: names that other sites give to articles (id, cid, sid, s, p,
click_id, cuid, var), and lists for one shop or network.
"""

from __future__ import annotations

# Families, by how the name begins: campaigns of Google, Matomo, Piano and AT Internet
# (BBC, Radio France, Le Parisien …), comScore, HubSpot, Cxense, Mailchimp, Blueshift,
# DPG, Le Monde; Google's subscriptions and AMP viewer; ways of old social plug-ins.
_PREFIXES = tuple(
    """
    utm_ mtm_ matomo_ pk_ piwik_ at_ xtor ns_ _hs __hs hsa_ cx_ mc_ bsft_ dpg_ lmd_ itm_
    otm_ stm_ vero_ oly_ adjust_ mkt_ sfmc_ fb_action_ gaa_ gad_ amp_ guce_ cm_mmc
    action_object_map action_type_map action_ref_map sc_c __io_ _io_ _sgm_ _ga _gl
    """.split()
)
_NAMES = frozenset(
    """
    fbclid gclid gclsrc dclid gbraid wbraid srsltid msclkid twclid ttclid yclid ysclid
    li_fat_id epik sccid rdt_cid irclickid irgwc igshid igsh mibextid fb_source fb_ref
    fb_comment_id fref __tn__ __twitter_impression ref_src ref_url usqp guccounter
    _guc_consent_skip utm xts xtref xtcr xtnp xtloc xtdt xtmc een seen m_bt m_i actid
    actcampaigntype actsource lmdfr
    cmpid cmp ocid icid intcid intcmp s_cid cm_me cm_cr wt_mc wt_zmc wtmc wtrid wickedid
    campaign_id campaignid adgroupid ncid ito mkt_tok dm_i dm_t _ke _kx __s _openstat
    ml_subscriber ml_subscriber_hash rb_clickid os_ehash _branch_match_id spm echobox
    smid smtyp referringsource mbid cndid bxid ftag ftcamp leadsource srnd soc_src
    soc_trk tsrc wpsrc hootpostid sr_share feedtype feedname rssfeed xrss
    user_email_address
    phpsessid phpsessionid jsessionid cfid cftoken
    amp noamp nonamp wptouch_preview_theme
    """.split()
)
# These name a way only when their value does: `?ref=rss`, `?source=newsletter`; as in
# `?source=afp&from=2` they may as well be part of what is read.
_WAYS = frozenset(
    "ref source src from origin origine via share partner platform fromref spref sns "
    "medium mode output outputtype view referrer referer".split()
)
_WAY = frozenset(
    """
    rss rss2 atom feed feeds flux fluxrss flux-rss newsletter nl email e-mail mail share
    partage social twitter tw x facebook fb linkedin whatsapp telegram bluesky mastodon
    instagram threads google googlenews google-news gnews yahoo bing msn flipboard
    pocket feedly hootsuite buffer hp home homepage app push notification amp mobile
    """.split()
)
# By host, what chooses a tab, a player's second or a list round one and the same thing.
_BY_HOST = {
    "mediapart.fr": frozenset({"onglet", "userid"}),
    "lemonde.fr": frozenset({"random"}),
    "youtube.com": frozenset({"feature", "si", "ab_channel", "pp"}),
    "open.spotify.com": frozenset({"si", "context"}),
    "podcasts.apple.com": frozenset({"l"}),
}


def tracks(host: str, pair: str) -> bool:
    """Tell whether a `name=value` of a query is there to follow the reader.

    host: without `www.`.
    """
    name, _, value = pair.lower().partition("=")
    return (
        name in _NAMES
        or name.startswith(_PREFIXES)
        or (name in _WAYS and value in _WAY)
        or name in _BY_HOST.get(host, ())
    )
