//! The estimators that can be imported: one line each, the source of the support table.

use super::builder::{Builder, Frame};
use super::estimator::{Estimator, NEWEST, OLDEST, Version};
use super::{
    boosting, calibration, cluster, compose, cross_decomposition, curves, decomposition, discriminant, dummy, linear,
};
use super::{ensemble, impute, multiclass, multioutput, preprocessing, selection, targets, text, trees, wrappers};
use super::{gaussian_process, kernels, mixture, naive_bayes, neighbors, neural, svm};
use crate::import::{catboost, lightgbm, xgboost};
use crate::model::Output;
use crate::{Error, Result};

pub type Transform = fn(&mut Builder, &Estimator, &Frame) -> Result<Frame>;
pub type Predict = fn(&mut Builder, &Estimator, &Frame) -> Result<Output>;

/// A class that can be imported, and as what.
pub struct Entry {
    /// The package the class comes from; its module path starts with it.
    pub package: &'static str,
    pub family: &'static str,
    pub class: &'static str,
    pub transform: Option<Transform>,
    pub predict: Option<Predict>,
}

impl Entry {
    /// Whether the class has a `decision_function` where it has raw scores: XGBoost's and CatBoost's have none, LightGBM's since
    /// 4.7, which notes whether the columns had names.
    pub fn decides(&self, estimator: &Estimator) -> bool {
        match self.package {
            "sklearn" => true,
            "lightgbm" => estimator.get("_fitted_with_feature_names").is_some(),
            _ => false,
        }
    }
}

const fn entry(family: &'static str, class: &'static str) -> Entry {
    Entry { package: "sklearn", family, class, transform: None, predict: None }
}

const fn transformer(family: &'static str, class: &'static str, transform: Transform) -> Entry {
    Entry { transform: Some(transform), ..entry(family, class) }
}

const fn predictor(family: &'static str, class: &'static str, predict: Predict) -> Entry {
    Entry { predict: Some(predict), ..entry(family, class) }
}

const fn both(family: &'static str, class: &'static str, transform: Transform, predict: Predict) -> Entry {
    Entry { transform: Some(transform), predict: Some(predict), ..entry(family, class) }
}

const fn foreign(package: &'static str, family: &'static str, class: &'static str, predict: Predict) -> Entry {
    Entry { package, ..predictor(family, class, predict) }
}

/// Every class, by family.
pub const ENTRIES: &[Entry] = &[
    both("Composition", "Pipeline", compose::pipeline_transform, compose::pipeline_predict),
    transformer("Composition", "ColumnTransformer", compose::column_transformer),
    transformer("Composition", "FeatureUnion", compose::feature_union),
    transformer("Composition", "FunctionTransformer", compose::function_transformer),
    transformer("Feature extraction", "CountVectorizer", text::count_vectorizer),
    transformer("Feature extraction", "TfidfVectorizer", text::tfidf_vectorizer),
    transformer("Feature extraction", "TfidfTransformer", text::tfidf_transformer),
    transformer("Feature extraction", "HashingVectorizer", text::hashing_vectorizer),
    transformer("Feature extraction", "DictVectorizer", text::dict_vectorizer),
    transformer("Preprocessing", "SimpleImputer", preprocessing::simple_imputer),
    transformer("Preprocessing", "MissingIndicator", preprocessing::missing_indicator),
    transformer("Preprocessing", "StandardScaler", preprocessing::standard_scaler),
    transformer("Preprocessing", "MinMaxScaler", preprocessing::min_max_scaler),
    transformer("Preprocessing", "MaxAbsScaler", preprocessing::max_abs_scaler),
    transformer("Preprocessing", "RobustScaler", preprocessing::robust_scaler),
    transformer("Preprocessing", "Normalizer", preprocessing::normalizer),
    transformer("Preprocessing", "OneHotEncoder", preprocessing::one_hot_encoder),
    transformer("Preprocessing", "OrdinalEncoder", preprocessing::ordinal_encoder),
    transformer("Preprocessing", "LabelEncoder", preprocessing::label_encoder),
    predictor("Linear models", "LogisticRegression", linear::logistic_regression),
    predictor("Linear models", "LogisticRegressionCV", linear::logistic_regression),
    predictor("Linear models", "LinearSVC", linear::classifier),
    predictor("Linear models", "SGDClassifier", linear::sgd_classifier),
    predictor("Linear models", "LinearRegression", linear::regressor),
    predictor("Linear models", "Ridge", linear::regressor),
    predictor("Linear models", "RidgeCV", linear::regressor),
    predictor("Linear models", "Lasso", linear::regressor),
    predictor("Linear models", "LassoCV", linear::regressor),
    predictor("Linear models", "ElasticNet", linear::regressor),
    predictor("Linear models", "ElasticNetCV", linear::regressor),
    predictor("Linear models", "LinearSVR", linear::regressor),
    predictor("Linear models", "SGDRegressor", linear::regressor),
    predictor("Linear models", "ARDRegression", linear::bayesian),
    predictor("Linear models", "BayesianRidge", linear::bayesian),
    predictor("Linear models", "GammaRegressor", linear::log_link),
    predictor("Linear models", "HuberRegressor", linear::regressor),
    predictor("Linear models", "Lars", linear::regressor),
    predictor("Linear models", "LarsCV", linear::regressor),
    predictor("Linear models", "LassoLars", linear::regressor),
    predictor("Linear models", "LassoLarsCV", linear::regressor),
    predictor("Linear models", "LassoLarsIC", linear::regressor),
    predictor("Linear models", "MultiTaskElasticNet", linear::regressor),
    predictor("Linear models", "MultiTaskElasticNetCV", linear::regressor),
    predictor("Linear models", "MultiTaskLasso", linear::regressor),
    predictor("Linear models", "MultiTaskLassoCV", linear::regressor),
    predictor("Linear models", "OrthogonalMatchingPursuit", linear::regressor),
    predictor("Linear models", "OrthogonalMatchingPursuitCV", linear::regressor),
    predictor("Linear models", "PassiveAggressiveClassifier", linear::classifier),
    predictor("Linear models", "PassiveAggressiveRegressor", linear::regressor),
    predictor("Linear models", "Perceptron", linear::classifier),
    predictor("Linear models", "PoissonRegressor", linear::log_link),
    predictor("Linear models", "QuantileRegressor", linear::regressor),
    predictor("Linear models", "RANSACRegressor", linear::ransac),
    predictor("Linear models", "RidgeClassifier", linear::ridge_classifier),
    predictor("Linear models", "RidgeClassifierCV", linear::ridge_classifier),
    predictor("Linear models", "SGDOneClassSVM", linear::one_class_svm),
    predictor("Linear models", "TheilSenRegressor", linear::regressor),
    predictor("Linear models", "TweedieRegressor", linear::tweedie),
    both("Linear models", "IsotonicRegression", linear::isotonic_transform, linear::isotonic_regression),
    both("Linear models", "LinearDiscriminantAnalysis", discriminant::linear_transform, discriminant::linear),
    predictor("Linear models", "QuadraticDiscriminantAnalysis", discriminant::quadratic),
    both("Linear models", "PLSRegression", cross_decomposition::transform, cross_decomposition::predict),
    both("Linear models", "PLSCanonical", cross_decomposition::transform, cross_decomposition::predict),
    both("Linear models", "CCA", cross_decomposition::transform, cross_decomposition::predict),
    transformer("Linear models", "PLSSVD", cross_decomposition::transform),
    predictor("Trees", "BaggingClassifier", ensemble::bagging_classifier),
    predictor("Trees", "BaggingRegressor", ensemble::bagging_regressor),
    transformer("Trees", "RandomTreesEmbedding", trees::random_trees_embedding),
    both("Meta-estimators", "VotingClassifier", ensemble::voting_transform, ensemble::voting_classifier),
    both("Meta-estimators", "VotingRegressor", ensemble::voting_regressor_transform, ensemble::voting_regressor),
    both("Meta-estimators", "StackingClassifier", ensemble::stacking_transform, ensemble::stacking_classifier),
    both("Meta-estimators", "StackingRegressor", ensemble::stacking_transform, ensemble::stacking_regressor),
    predictor("Meta-estimators", "CalibratedClassifierCV", calibration::calibrated),
    predictor("Meta-estimators", "OneVsRestClassifier", multiclass::one_vs_rest),
    predictor("Meta-estimators", "OneVsOneClassifier", multiclass::one_vs_one),
    predictor("Meta-estimators", "OutputCodeClassifier", multiclass::output_code),
    predictor("Meta-estimators", "MultiOutputClassifier", multioutput::classifier),
    predictor("Meta-estimators", "MultiOutputRegressor", multioutput::regressor),
    predictor("Meta-estimators", "ClassifierChain", multioutput::classifier_chain),
    predictor("Meta-estimators", "RegressorChain", multioutput::regressor_chain),
    predictor("Meta-estimators", "TransformedTargetRegressor", wrappers::transformed_target),
    both("Meta-estimators", "GridSearchCV", wrappers::search_transform, wrappers::search),
    both("Meta-estimators", "RandomizedSearchCV", wrappers::search_transform, wrappers::search),
    both("Meta-estimators", "HalvingGridSearchCV", wrappers::search_transform, wrappers::search),
    both("Meta-estimators", "HalvingRandomSearchCV", wrappers::search_transform, wrappers::search),
    predictor("Meta-estimators", "FixedThresholdClassifier", wrappers::fixed_threshold),
    predictor("Meta-estimators", "TunedThresholdClassifierCV", wrappers::tuned_threshold),
    both("Meta-estimators", "FrozenEstimator", wrappers::frozen_transform, wrappers::frozen),
    predictor("Dummy", "DummyClassifier", dummy::classifier),
    predictor("Dummy", "DummyRegressor", dummy::regressor),
    predictor("Trees", "DecisionTreeClassifier", trees::tree_classifier),
    predictor("Trees", "DecisionTreeRegressor", trees::tree_regressor),
    predictor("Trees", "ExtraTreeClassifier", trees::tree_classifier),
    predictor("Trees", "ExtraTreeRegressor", trees::tree_regressor),
    predictor("Trees", "RandomForestClassifier", trees::forest_classifier),
    predictor("Trees", "RandomForestRegressor", trees::forest_regressor),
    predictor("Trees", "ExtraTreesClassifier", trees::forest_classifier),
    predictor("Trees", "ExtraTreesRegressor", trees::forest_regressor),
    predictor("Trees", "IsolationForest", trees::isolation_forest),
    predictor("Trees", "GradientBoostingClassifier", boosting::gradient_classifier),
    predictor("Trees", "GradientBoostingRegressor", boosting::gradient_regressor),
    predictor("Trees", "HistGradientBoostingClassifier", boosting::histogram_classifier),
    predictor("Trees", "HistGradientBoostingRegressor", boosting::histogram_regressor),
    predictor("Trees", "AdaBoostClassifier", boosting::ada_classifier),
    predictor("Trees", "AdaBoostRegressor", boosting::ada_regressor),
    both("Clustering", "KMeans", cluster::kmeans_transform, cluster::kmeans),
    both("Clustering", "MiniBatchKMeans", cluster::kmeans_transform, cluster::kmeans),
    both("Clustering", "BisectingKMeans", cluster::kmeans_transform, cluster::bisecting_kmeans),
    both("Clustering", "Birch", cluster::birch_transform, cluster::birch),
    predictor("Clustering", "MeanShift", cluster::nearest_center),
    predictor("Clustering", "AffinityPropagation", cluster::nearest_center),
    predictor("Support vector machines", "SVC", svm::classifier),
    predictor("Support vector machines", "NuSVC", svm::classifier),
    predictor("Support vector machines", "SVR", svm::regressor),
    predictor("Support vector machines", "NuSVR", svm::regressor),
    predictor("Support vector machines", "OneClassSVM", svm::one_class),
    predictor("Support vector machines", "KernelRidge", kernels::kernel_ridge),
    predictor("Neighbours", "KNeighborsClassifier", neighbors::classifier),
    predictor("Neighbours", "KNeighborsRegressor", neighbors::regressor),
    predictor("Neighbours", "RadiusNeighborsClassifier", neighbors::radius_classifier),
    predictor("Neighbours", "RadiusNeighborsRegressor", neighbors::radius_regressor),
    predictor("Neighbours", "NearestCentroid", neighbors::nearest_centroid),
    predictor("Neighbours", "LocalOutlierFactor", neighbors::local_outlier_factor),
    transformer("Neighbours", "NearestNeighbors", neighbors::nearest_neighbors),
    transformer("Neighbours", "KNeighborsTransformer", neighbors::transformer),
    transformer("Neighbours", "NeighborhoodComponentsAnalysis", neighbors::components),
    predictor("Naive Bayes", "GaussianNB", naive_bayes::gaussian),
    predictor("Naive Bayes", "MultinomialNB", naive_bayes::multinomial),
    predictor("Naive Bayes", "ComplementNB", naive_bayes::complement),
    predictor("Naive Bayes", "BernoulliNB", naive_bayes::bernoulli),
    predictor("Naive Bayes", "CategoricalNB", naive_bayes::categorical),
    predictor("Neural networks", "MLPClassifier", neural::classifier),
    predictor("Neural networks", "MLPRegressor", neural::regressor),
    predictor("Gaussian processes", "GaussianProcessClassifier", gaussian_process::classifier),
    predictor("Gaussian processes", "GaussianProcessRegressor", gaussian_process::regressor),
    predictor("Mixtures and covariance", "GaussianMixture", mixture::mixture),
    predictor("Mixtures and covariance", "BayesianGaussianMixture", mixture::mixture),
    predictor("Mixtures and covariance", "EllipticEnvelope", mixture::elliptic_envelope),
    transformer("Preprocessing", "Binarizer", curves::binarizer),
    transformer("Preprocessing", "KBinsDiscretizer", curves::bins),
    transformer("Preprocessing", "PolynomialFeatures", curves::polynomial),
    transformer("Preprocessing", "PowerTransformer", curves::power),
    transformer("Preprocessing", "QuantileTransformer", curves::quantiles),
    transformer("Preprocessing", "SplineTransformer", curves::splines),
    transformer("Preprocessing", "TargetEncoder", targets::target_encoder),
    transformer("Preprocessing", "LabelBinarizer", targets::label_binarizer),
    transformer("Preprocessing", "KernelCenterer", decomposition::kernel_centerer),
    transformer("Preprocessing", "KNNImputer", impute::knn_imputer),
    transformer("Preprocessing", "IterativeImputer", impute::iterative_imputer),
    transformer("Feature selection", "VarianceThreshold", selection::by_variance),
    transformer("Feature selection", "SelectKBest", selection::k_best),
    transformer("Feature selection", "SelectPercentile", selection::percentile),
    transformer("Feature selection", "SelectFpr", selection::false_positive_rate),
    transformer("Feature selection", "SelectFdr", selection::false_discovery_rate),
    transformer("Feature selection", "SelectFwe", selection::family_wise_error),
    transformer("Feature selection", "GenericUnivariateSelect", selection::univariate),
    transformer("Feature selection", "SelectFromModel", selection::from_model),
    transformer("Feature selection", "SequentialFeatureSelector", selection::by_support),
    both("Feature selection", "RFE", selection::by_support, selection::recursive),
    both("Feature selection", "RFECV", selection::by_support, selection::recursive),
    transformer("Decomposition", "PCA", decomposition::pca),
    transformer("Decomposition", "IncrementalPCA", decomposition::pca),
    transformer("Decomposition", "KernelPCA", decomposition::kernel_pca),
    transformer("Decomposition", "TruncatedSVD", decomposition::plain),
    transformer("Decomposition", "FastICA", decomposition::fast_ica),
    transformer("Decomposition", "FactorAnalysis", decomposition::factor_analysis),
    transformer("Decomposition", "SparsePCA", decomposition::sparse_pca),
    transformer("Decomposition", "MiniBatchSparsePCA", decomposition::sparse_pca),
    transformer("Decomposition", "GaussianRandomProjection", decomposition::plain),
    transformer("Decomposition", "SparseRandomProjection", decomposition::plain),
    foreign("xgboost", "XGBoost", "XGBClassifier", xgboost::classifier),
    foreign("xgboost", "XGBoost", "XGBRFClassifier", xgboost::classifier),
    foreign("xgboost", "XGBoost", "XGBRegressor", xgboost::regressor),
    foreign("xgboost", "XGBoost", "XGBRFRegressor", xgboost::regressor),
    foreign("xgboost", "XGBoost", "XGBRanker", xgboost::regressor),
    foreign("xgboost", "XGBoost", "XGBModel", xgboost::regressor),
    foreign("xgboost", "XGBoost", "Booster", xgboost::regressor),
    foreign("lightgbm", "LightGBM", "LGBMClassifier", lightgbm::classifier),
    foreign("lightgbm", "LightGBM", "LGBMRegressor", lightgbm::regressor),
    foreign("lightgbm", "LightGBM", "LGBMRanker", lightgbm::regressor),
    foreign("lightgbm", "LightGBM", "Booster", lightgbm::booster),
    foreign("catboost", "CatBoost", "CatBoostClassifier", catboost::classifier),
    foreign("catboost", "CatBoost", "CatBoostRegressor", catboost::regressor),
    foreign("catboost", "CatBoost", "CatBoostRanker", catboost::raw),
    foreign("catboost", "CatBoost", "CatBoost", catboost::raw),
];

/// Classes that cannot be imported, why, and what to do instead.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "FeatureHasher",
        "takes rows with any keys, so that the file cannot say what columns there are",
        "DictVectorizer learns the keys; HashingVectorizer hashes texts.",
    ),
    ("NMF", FACTORS, PROJECT),
    ("MiniBatchNMF", FACTORS, PROJECT),
    ("LatentDirichletAllocation", FACTORS, PROJECT),
    ("DictionaryLearning", CODES, PROJECT),
    ("MiniBatchDictionaryLearning", CODES, PROJECT),
    ("SparseCoder", CODES, PROJECT),
    (
        "MultiLabelBinarizer",
        "takes a set of labels a row, of any number, and a row here has a value a column",
        "Pass a column of 0 and 1 for each label to a model without it.",
    ),
    ("TSNE", NO_NEW_ROWS, PROJECT),
    ("MDS", NO_NEW_ROWS, PROJECT),
    ("SpectralEmbedding", NO_NEW_ROWS, PROJECT),
    ("DBSCAN", NO_NEW_ROWS, CLUSTER),
    ("HDBSCAN", NO_NEW_ROWS, CLUSTER),
    ("OPTICS", NO_NEW_ROWS, CLUSTER),
    ("AgglomerativeClustering", NO_NEW_ROWS, CLUSTER),
    ("SpectralClustering", NO_NEW_ROWS, CLUSTER),
];
const FACTORS: &str = "solves for all rows of a call together: what it makes of a row depends on the others";
const CODES: &str = "looks for the sparse code of every row by an iterative solver, which is not supported";
const NO_NEW_ROWS: &str = "only places the rows it was fitted on: it has no rule for new ones";
const PROJECT: &str = "Fit a PCA, TruncatedSVD or SparsePCA in its place, or do this step before the model.";
const CLUSTER: &str = "Fit a KMeans, BisectingKMeans or Birch, or a classifier on the labels it found.";

/// The entry of an estimator's class.
///
/// # Errors
/// Names the class, where it sits, and what is supported.
pub fn find(estimator: &Estimator) -> Result<&'static Entry> {
    let (module, class) = (estimator.module, estimator.class);
    let of_package = |entry: &&Entry| module.split('.').next() == Some(entry.package);
    if let Some(entry) = ENTRIES.iter().find(|entry| entry.class == class && of_package(entry)) {
        // Up to 0.21 estimators sat in modules like sklearn.linear_model.logistic, since then in ._logistic.
        let ancient = module != "sklearn.feature_extraction.text"
            && module.split('.').nth(2).is_some_and(|part| !part.starts_with('_'));
        if entry.package == "sklearn" && (ancient || estimator.version < OLDEST || estimator.version > NEWEST) {
            let Version(major, minor) = estimator.version;
            let which = if ancient { "0.21 or older".to_string() } else { format!("{major}.{minor}") };
            return Err(Error::unsupported(format!("the model is of scikit-learn {which}; 1.1 to 1.9 are known"))
                .remedy("Load it in that version, save it again from one of these, and compare the predictions.")
                .at(estimator.path.clone()));
        }
        return Ok(entry);
    }
    let known =
        ["sklearn", "xgboost", "lightgbm", "catboost"].contains(&module.split('.').next().unwrap_or_default());
    let refused = REFUSED.iter().find(|refused| refused.0 == class && module.starts_with("sklearn."));
    let error = if let Some((_, reason, remedy)) = refused {
        Error::unsupported(format!("{class} {reason}")).remedy(*remedy)
    } else if known {
        let mut near: Vec<&str> =
            ENTRIES.iter().filter(|entry| entry.predict.is_some()).map(|entry| entry.class).collect();
        near.sort_unstable();
        near.dedup();
        Error::unsupported(format!("{module}.{class} is not supported"))
            .remedy(format!("Supported estimators are {}.", near.join(", ")))
    } else {
        Error::unsupported(format!("{module}.{class} is a class of its own, not one of scikit-learn's")).remedy(
            "Its code is not in the file. Replace the step by a scikit-learn estimator, or do it before the model.",
        )
    };
    Err(error.at(estimator.path.clone()))
}
