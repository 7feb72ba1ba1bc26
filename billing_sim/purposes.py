"""What a draw is for. A number, once given, keeps its meaning for good: it is part of every digest.

Compiled code reads these as constants: `purpose.FUNDS`. Beside each stands its occasion.
"""

SHARD = 1  # block of 64 ordinals, or hour of arrival
GROUP = 2  # 0
ARRIVAL_GAP = 3  # hour * 1024 + k, subject: market
ARRIVAL_MINUTE = 4  # hour
PLAN = 5  # hour of sign-up (0 for the base)
METHOD_KIND = 6  # hour of sign-up (0 for the base)
BACKUP = 7  # hour
BACKUP_KIND = 8  # hour
TENURE = 9  # 0
BILLING_MINUTE = 10  # 0
PAYDAY = 11  # 0
CARD_AGE = 12  # hour the method was added
TOKEN = 13  # hour the method was added
GIFT = 14  # hour the method was added
INTENT_START = 15  # hour the spell began
INTENT_CHANGE = 16  # month
INTENT_MOMENT = 17  # month
INTENT_KIND = 18  # month
EXIT_CHANNEL = 19  # hour
EPISODE = 20  # month, subject: method
EPISODE_MOMENT = 21  # month, subject: method
UPDATER = 22  # month of the episode, subject: method
PROACTIVE = 23  # hour of the episode
PROACTIVE_DELAY = 24  # hour of the episode
ATTENTION = 25  # day
ATTENTION_HOUR = 26  # day
REACTION = 27  # day
SELF_FIX = 28  # day
FUNDS = 29  # first day of the pay cycle * 2 + slot
SUSPICION = 30  # block of 14 days, subject: method
ROUTE = 31  # hour * 2 + slot
OUTAGE = 32  # (hour * 2 + slot) * 16 + gateway
CODE = 33  # hour * 2 + slot
RESOLUTION = 34  # hour
RETURN_LAG = 35  # hour
RECORD_DELAY = 36  # hour
WIN_BACK = 37  # hour of leaving
WIN_BACK_MOMENT = 38  # hour of leaving
SIGNUP_AGAIN = 39  # hour
SIGNUP_METHOD = 40  # hour
FORMER_LAPSE = 41  # 0
FORMER_KIND = 42  # 0
PRICE_RESPONSE = 43  # day, subject: market
NEW_METHOD = 44  # hour
RETRY_MINUTE = 45  # day
PROBE = 46  # tests of the generator
STRAINED = 47  # quarter
SIGNUP_RISK = 48  # hour * 2 + slot, subject: method
ANCHOR = 49  # 0
EXPIRY = 50  # hour the method was added
MEANS = 51  # hour the method was added
MACHINE = 52  # hour * 2 + slot, subject: method
SAMPLE = 53  # 0
REACH = 54  # 0

# Plans and money: 60 to 79.
REDEEM = 60  # hour the offer begins
TRIAL_LEAVER = 61  # hour of sign-up
TRIAL_LEAVES_AT = 62  # hour of sign-up
TRIAL_METHOD = 63  # hour of sign-up
TRIAL_METHOD_KIND = 64  # hour the trial ends
PAUSE = 65  # month
PAUSE_LENGTH = 66  # month
PLAN_CHANGE = 67  # month
PLAN_CHANGE_MOMENT = 68  # month
GOODWILL = 69  # day
TRIAL_TAKEN = 70  # hour of sign-up

# Refunds and disputes: 80 to 99.
COMPLAINT = 80  # hour of the charge * 2 + slot
COMPLAINT_DELAY = 81  # the same
COMPLAINT_SIZE = 82  # the same
DISPUTE = 83  # the same
DISPUTE_DELAY = 84  # the same
DISPUTE_FIRST_ASKS = 85  # the same
DISPUTE_CONTEST = 86  # hour it is opened
DISPUTE_OUTCOME = 87  # hour it is opened
DISPUTE_REPORT = 88  # hour it is opened
DOUBLE = 89  # hour of the charge * 2 + slot
DOUBLE_REMEDY = 90  # hour
DOUBLE_DELAY = 91  # hour
AFTER_END = 92  # hour of the end
NETWORK = 93  # hour the method was added, subject: method

# Fraud and authentication: 100 to 119.
AUTHENTICATED = 100  # hour * 2 + slot, subject: method
AUTHENTICATION = 101  # hour * 2 + slot, subject: method
AUTHENTICATION_TIME = 102  # hour * 2 + slot, subject: method
ISSUER_ASKS = 103  # month, subject: method
FRAUDSTER = 104  # hour of sign-up
STOLEN_WORKS = 105  # hour the method was added, subject: method
OWNER_NOTICES = 106  # hour the method was added, subject: method
SCORE = 107  # day, subject: method
REVIEW = 108  # hour
REVIEW_TIME = 109  # hour
VOUCHER_MOMENT = 110  # hour
RELEASE = 111  # (hour * 2 + slot) * 64 + release
DOUBLE_CHARGE = 112  # (hour * 2 + slot) * 64 + release
TESTED = 113  # hour * 16 + place within the session
TESTED_CARD = 114  # hour * 16 + place within the session
TESTED_SCORE = 115  # hour * 16 + place within the session
CARD_BIN = 116  # hour the method was added, subject: method
TESTED_BIN = 117  # hour * 16 + place within the session
BESIDE_BIN = 118  # hour * 16 + place within the session
MANDATE_ANSWER = 119  # hour * 2 + slot

# Gateways under load: 120 to 129.
ADMISSION = 120  # (hour * 2 + slot) * 16 + gateway
EXPLORE = 121  # hour * 2 + slot
ISSUER_OUTAGE = 122  # (hour * 2 + slot) * 64 + outage

# Support: 130 to 139.
CONTACT = 130  # hour * 16 + topic
CONTACT_DELAY = 131  # hour * 16 + topic
CONTACT_CHANNEL = 132  # hour of the contact
CONTACT_PATIENCE = 133  # hour of the contact
CONTACT_HANDLING = 134  # hour of the contact
AGENT_ACTION = 135  # hour of the contact
AGENT_SUCCESS = 136  # hour of the contact
CONTACT_REPEAT = 137  # hour of the contact
CONTACT_REPEAT_DELAY = 138  # hour of the contact
LINK_DELAY = 139  # hour of the contact

# People and what they say: 140 to 169.
WHY = 140  # month
EXIT_ANSWER = 141  # hour
EXIT_LIE = 142  # hour
EXIT_BLAME = 143  # hour
SERIAL = 144  # 0
ADDRESS_START = 145  # channel
ADDRESS = 146  # month * 4 + channel
RESPONSE = 147  # day
UNSUBSCRIBE = 148  # hour
SURVEY_ASKED = 149  # hour * 8 + experience
TEMPER = 150  # 0
SURVEY_MOMENT = 151  # hour
SURVEY_RESPONSE = 152  # hour
OFFERED = 153  # hour of leaving * 16 + offer
OFFER_MOMENT = 154  # hour

# Campaigns: 170 to 189.
HOSTS = 170  # 0
HOUSEHOLD = 171  # 0
RESTRICTED_MOMENT = 172  # hour of the crackdown
JOINS = 173  # hour of the crackdown
JOINS_AFTER = 174  # hour of the crackdown
HOST_CANCELS = 175  # hour of the crackdown
HOST_CANCELS_AFTER = 176  # hour of the crackdown
CAMPAIGN_REACH = 177  # hour the campaign begins
CAMPAIGN_REACH_MOMENT = 178  # the same
CAMPAIGN_CONTROL = 179  # the same
CAMPAIGN_CARD = 180  # the same
CAMPAIGN_REPLY = 181  # the same
CAMPAIGN_DENIAL = 182  # the same
CAMPAIGN_LANDING = 183  # the same
CAMPAIGN_EMAIL = 184  # the same
CAMPAIGN_MISTAKE = 185  # the same
CAMPAIGN_ACCEPTS = 186  # the same
CAMPAIGN_ACCEPTS_AFTER = 187  # the same
CAMPAIGN_STEP = 188  # the same, times 8, plus the step

# Experiments: 190 to 199.
ENROL_HOLDOUT = 190  # number of the experiment's name
ENROL_ARM = 191  # number of the experiment's name
OWN_PROCESS = 195  # number of the draw's name * 2**28 + a moment or number that the user's process names
